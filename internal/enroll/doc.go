// Package enroll is the domain of Fingerpost: devices, users, changes, lanes,
// deliveries. It does no I/O and imports the standard library only.
//
// # The words
//
// A [Device] uploads what happened at it as an [Upload] of [Report] values. What
// is known of each user on each device is the mirror, one [Mirrored] per user. A
// report that differs from the mirror makes a [Change]: one fact, stored once,
// never altered. A change is owed to each [Endpoint] that chose its kind, by a
// [Delivery] in a [Lane]; each try to hand it over is an [Attempt].
//
// # Two clocks
//
// What a device calls the time is a [WallTime], text without a zone, and is kept
// beside the zone that the operator gave the device. What we call the time is a
// [time.Time] in UTC, cut to milliseconds. The two are never compared to decide
// an order.
//
// # Secrets
//
// Credentials and keys are of type [Secret] or [Data], which print as their
// length only, so that a stray log line or error cannot carry one.
package enroll
