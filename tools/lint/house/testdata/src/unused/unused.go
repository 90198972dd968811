package unused

func Used() { helper() }

func helper() {}

func forgotten() {} // want `func forgotten is unused`
