// Package callback is the wire format of Fingerpost: what the body of a callback
// says, how it is written and read, and the rules around it (URL, signature,
// acknowledgement). Gateway and receivers share it, so it imports the standard
// library only.
//
// # Bodies
//
// [Callback.AppendJSON] writes a [Callback] in a [Dialect], one vendor's way to say
// it. The same callback and the same [Options] give the same bytes, always:
// receivers drop repeats by a hash of the body. [Parse] reads the bodies of all
// vendors of the family (Niya Labs, CAMS, Minop), numbers or strings, in any order.
//
// # Secrets
//
// Templates, photos, passwords, card numbers and the auth token are of type
// [Masked], which prints as its length. No error of this package contains a part of
// a body, a token or a signing secret.
package callback
