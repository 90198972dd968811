// Package zkpush speaks with terminals: the server side of ZKTeco's PUSH protocol,
// version 2.x, also known as ADMS or by its path /iclock/.
//
// A terminal is always the client. It asks for its settings (the handshake), polls
// for commands and posts what happened at it, one record a line. [Handler] answers,
// turns each upload into an [enroll.Upload] and hands it to a [Sink]. It knows
// nothing of callbacks or storage.
//
// # Acknowledgements
//
// A terminal forgets what it sent when it reads our OK. The OK for an upload is
// therefore written after [Sink.Accept] returned nil, and never otherwise: an
// unknown terminal gets 403, a store that is busy or gone 503, a body that is too
// large 413, and the terminal keeps its records. A body that was cut short on its
// way is not handed over at all. An upload that says nothing to keep, such as an
// empty heartbeat, is answered at once.
//
// # Nothing is lost
//
// Every line that is not blank does exactly one of three things. It becomes one
// report; a line that makes no sense becomes an [enroll.UnreadReport], one that is
// understood and makes no callback an [enroll.KeptReport]. Or it is an entry of the
// operation log that concerns the terminal alone (a start, an opened menu), which is
// understood and reports nothing. Or it is the rest of the wrapped line before it.
// A line that makes no sense is acknowledged like the others: refused, the terminal
// would repeat it for ever and hold back everything behind it. Tables that this
// package does not know, those of PUSH 3.x among them, are kept whole, and each of
// their lines is unread.
//
// # Hostile input
//
// Whoever can reach the port can send anything. Bodies, expansion, lines and fields
// have limits (limits.go); texts that are quoted are cut and cleaned; no text of a
// device forms a path; no content of a line is logged or put into an error.
//
// The facts about the protocol were gathered from the vendor's manuals (Attendance
// PUSH 2.4.1 of 2020-03-25 above all) and from recorded traffic, a part of which is
// in testdata/captures.
package zkpush
