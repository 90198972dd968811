// Package admin is the JSON API for operators: the handler that the daemon serves,
// and the client that the commands use.
//
// # What it promises
//
//   - Everything below /api/v1/ needs "Authorization: Bearer TOKEN" with a token whose
//     SHA-256 the store knows. /healthz, /readyz and the page at / need none and tell
//     nothing of devices, endpoints or users.
//   - Ids are text, times are RFC 3339 in UTC with milliseconds or null, durations are
//     text such as "2s". Fields are the names of the flags, with _ for -.
//   - A list is {"items":[…],"next_cursor":"…"}. A cursor is opaque; an empty one ends.
//   - An error is application/problem+json. Wrong input names each field and what would
//     be right, and nothing is half-done. What a later version brings is refused in
//     words, never ignored.
//   - A secret is in an answer once, where it was made: the signing secret and a token
//     that we made, in the answer that creates an endpoint. No answer has a credential
//     of a user. What an endpoint answered is shown for one delivery, never in a list.
//   - A body is at most 1 MiB.
package admin
