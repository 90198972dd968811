// Package zkpush speaks with terminals: the server side of ZKTeco's PUSH protocol, also
// known as ADMS or by its path /iclock/, in both families: version 2.x of attendance
// terminals and 3.x of access terminals.
//
// A terminal is always the client. It asks for its settings (the handshake), polls
// for commands and posts what happened at it, one record a line. [Handler] answers,
// turns each upload into an [enroll.Upload] and hands it to a [Sink]. It knows
// nothing of callbacks or storage.
//
// # Families
//
// The family of a device chooses the answer to its handshake and the wording of what is
// ordered of it, and nothing else: each upload is read by the name of its own table.
// Records of PUSH 2.x are whole, so that an empty field was told to be empty; rows of
// 3.x are sparse, and what is empty in them was not told.
//
// # Acknowledgements
//
// A terminal forgets what it sent when it reads our OK. The OK for an upload is
// therefore written after [Sink.Accept] returned nil, and never otherwise: an
// unknown terminal gets 403, a store that is busy or gone 503, a body that is too
// large 413, and the terminal keeps its records. A body that was cut short on its
// way is not handed over at all. An upload that says nothing to keep, such as an
// empty heartbeat, is answered at once. The same holds for the answers to orders, which
// [Sink.Answered] commits, and for the parts of an answer, which [Sink.Join] does.
//
// Devices want different forms of OK. One that posts the same body for the third time
// within two minutes, though it was acknowledged, gets the other form from then on.
//
// # Nothing is lost
//
// Every line that is not blank does exactly one of three things. It becomes one
// report; a line that makes no sense becomes an [enroll.UnreadReport], one that is
// understood and makes no callback an [enroll.KeptReport]. Or it concerns the terminal
// alone: an entry of the operation log (a start, an opened menu) or a normal event
// without a user (a door that opened), which is understood and reports nothing. Or it is
// the rest of the wrapped line before it.
// A line that makes no sense is acknowledged like the others: refused, the terminal
// would repeat it for ever and hold back everything behind it. Tables that this
// package does not know are kept whole, and each of their lines is unread.
//
// # Hostile input
//
// Whoever can reach the port can send anything. Bodies, expansion, lines and fields
// have limits (limits.go), each by itself and all requests together; texts that are
// quoted are cut and cleaned; no text of a device forms a path; no content of a line is
// logged or put into an error. A device with [enroll.Device.AllowFrom] is heard from
// there alone. Tokens and communication keys of devices are not checked: they are weak,
// and firmware disagrees about them.
//
// # Clocks
//
// A device's clock is measured by the newest time in what it sends of itself. A record
// may have waited in the device, so a smaller offset than the last one counts only
// after ten minutes.
//
// The facts about the protocol were gathered from the vendor's manuals (Attendance
// PUSH 2.4.1 of 2020-03-25 and Security PUSH above all) and from recorded traffic, a
// part of which is in testdata/captures. docs/protocol.md has each oddity that is coded
// here with the test that pins it.
package zkpush
