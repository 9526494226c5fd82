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
    this.header = "Bearer " + flat(lines[7].slice(0, 60)) + flat(lines[7].slice(60)); // a cons string of three
    this.clientSecret = lines[8]; // no other text of the program says what it is
  }
}

// A string of its own: not a slice of another.
const flat = (text) => Buffer.from(text).toString("latin1");
const lines = fs.readFileSync(0, "latin1").split("\n").map(flat);

function remembering(token) {
  return () => token.length; // held by a closure's context alone
}

const cache = new TokenCache(lines);
const closure = remembering(lines[4]);
globalThis.leaked = lines[5];
const long = lines[6]; // more than 1,024 characters
lines.length = 0;
v8.writeHeapSnapshot(process.argv[2]);
console.log(cache.recent.length + closure() + long.length);
