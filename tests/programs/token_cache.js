// Holds one token in each way a program may hold it. Reads them from stdin, one a line, writes a heap snapshot to the
// path given, and ends.
const fs = require("fs");
const v8 = require("v8");

class TokenCache {
  constructor(lines) {
    this.accessToken = lines[0];
    this.byUser = new Map([["alice", lines[1]], ["bob", "nothing"]]);
    this.session = { credentials: { refreshToken: lines[2] } };
    this.recent = ["none", lines[3]];
  }
}

// A string of its own, flat: not a slice of the input.
const lines = fs.readFileSync(0, "latin1").split("\n").map((line) => Buffer.from(line).toString("latin1"));

function remembering(token) {
  return () => token.length; // held by a closure's context alone
}

const cache = new TokenCache(lines);
const closure = remembering(lines[4]);
globalThis.leaked = lines[5];
const long = lines[6]; // more than 1,024 characters
const joined = lines[7].slice(0, 60) + lines[7].slice(60); // a cons string: its halves are held apart
lines.length = 0;
v8.writeHeapSnapshot(process.argv[2]);
console.log(cache.recent.length + closure() + long.length + joined.length);
