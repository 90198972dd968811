package size // want `file of 5.. lines, at most 500`

func long() { // want `long has 10[0-9] lines, at most 100`
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
}

func fits() {
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
	println()
}

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.

// Much to say.
