"use strict";
// Acts of a host in `attacks.test.ts`, one a run: node attacker.cjs ACT ARGUMENTS. Each ends by itself, but those that hold
// or answer something until they are ended.

const { createSocket } = require("node:dgram");
const { connect } = require("node:net");
const { setTimeout: pause } = require("node:timers/promises");

const APPLIANCE = "10.10.10.2";
/** Seconds that an answer may take: a busy machine needs many times those of an idle one. */
const TRIES = 60;

/** Longer than any test takes: it is ended with its host. */
const HOLD_MS = 900_000;

/** @param {string} path */
const fileQuestion = (path) => Buffer.from(`\0\x01${path}\0octet\0`, "latin1");

/**
 * @param {string} name
 * @param {number} type
 */
function nameQuestion(name, type) {
  const labels = name.split(".").map((label) => String.fromCharCode(label.length) + label);
  return Buffer.concat([
    Buffer.from("beef01000001000000000000", "hex"),
    Buffer.from(`${labels.join("")}\0`, "latin1"),
    Buffer.from([0, type, 0, 1]),
  ]);
}

/**
 * Asks each second until something is answered, or only so often.
 *
 * @param {number} port
 * @param {Buffer} question
 * @returns {Promise<Buffer | undefined>}
 */
async function ask(port, question, asks = TRIES) {
  const socket = createSocket("udp4");
  /** @type {Buffer | undefined} */
  let answer;
  socket.on("message", (message) => (answer ??= message));
  for (let tries = 0; tries < TRIES && !answer; tries++) {
    if (tries < asks) socket.send(question, port, APPLIANCE);
    for (let waited = 0; waited < 1000 && !answer; waited += 50) await pause(50);
  }
  socket.close();
  return answer;
}

/**
 * What is answered for a name: an address in hex, of IPv6 for a name that begins with `six`; or the code of an error.
 *
 * @param {string} name
 * @param {number} [asks]
 */
async function addressOf(name, asks) {
  const isSix = name.startsWith("six.");
  const answer = await ask(53, nameQuestion(name, isSix ? 28 : 1), asks);
  if (!answer) return "silence";
  const code = (answer[3] ?? 0) & 15;
  return code === 0 && answer.readUInt16BE(6) > 0
    ? answer.subarray(isSix ? -16 : -4).toString("hex")
    : `code ${code}`;
}

/** Status of a path, as it is written. @param {string} path */
function statusOf(path) {
  return new Promise((resolve) => {
    const socket = connect(80, APPLIANCE, () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
    let said = "";
    socket.on("data", (chunk) => (said += chunk.toString("latin1")));
    socket.on("error", () => resolve("refused"));
    socket.setTimeout(TRIES * 1000, () => socket.destroy());
    socket.on("close", () => resolve(/^HTTP\/\S+ (\d+)/.exec(said)?.[1] ?? "silence"));
  });
}

/** As `mulberry32`: the same numbers at each run. @param {number} seed */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * Sends as a DHCP client and counts what is answered to it or to all.
 *
 * @param {Buffer[]} messages
 */
async function sendAsClient(messages) {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  let answers = 0;
  socket.on("message", (message) => (answers += message[0] === 2 ? 1 : 0));
  await new Promise((resolve) => socket.bind(68, () => resolve(undefined)));
  socket.setBroadcast(true);
  for (const message of messages) {
    socket.send(message, 67, "255.255.255.255");
    await pause(2);
  }
  await pause(1000);
  socket.close();
  return answers;
}

/** @type {Record<string, (...given: string[]) => void | Promise<void>>} */
const acts = {
  /** Opens transfers and never goes on with them. */
  async stall(count) {
    const socket = () => createSocket("udp4").on("error", () => undefined);
    for (let number = 0; number < Number(count); number++)
      socket().send(fileQuestion("snponly.efi"), 69, APPLIANCE);
    console.log("stalled");
    await pause(HOLD_MS);
  },
  async file(...paths) {
    for (const path of paths) {
      const answer = await ask(69, fileQuestion(path));
      console.log(`${path}: ${answer ? (answer[1] === 3 ? "sent" : "refused") : "silence"}`);
    }
  },
  async get(...paths) {
    for (const path of paths) console.log(`${path}: ${await statusOf(path)}`);
  },
  /** Opens connections, begins to say something and never ends. */
  async slow(port, count) {
    let open = 0;
    const begin = Buffer.from(port === "80" ? "GET /boot.ipxe HTTP/1.1\r\nx: " : "\0");
    for (let number = 0; number < Number(count); number++) {
      const socket = connect(Number(port), APPLIANCE, () => (open++, socket.write(begin)));
      socket.on("error", () => undefined);
    }
    // What is never answered is told from what is answered late by the other port, which is.
    for (let tries = 0; port === "80" && tries < TRIES && open === 0; tries++) await pause(1000);
    await pause(2000);
    console.log(`slow: ${open > 0 ? "some" : "none"} were taken`);
    await pause(HOLD_MS);
  },
  /** Asks so many names that no resolver answers, from one port. */
  async names(count) {
    const socket = createSocket("udp4");
    for (let number = 0; number < Number(count); number++)
      socket.send(nameQuestion(`silent${number}.example`, 1), 53, APPLIANCE);
    await pause(1000);
    socket.close();
    console.log("asked");
  },
  /** By TCP, where the length of a question comes before it. */
  async nameByTcp(name) {
    const question = nameQuestion(name, 1);
    const length = Buffer.from([0, question.length]);
    const socket = connect(53, APPLIANCE, () => socket.write(Buffer.concat([length, question])));
    const answer = await new Promise((resolve) => {
      socket.on("data", (chunk) => resolve(chunk.subarray(-4).toString("hex")));
      socket.on("error", () => resolve("refused"));
      socket.setTimeout(TRIES * 1000, () => resolve("silence"));
    });
    socket.destroy();
    console.log(`${name} by TCP: ${answer}`);
  },
  async name(...names) {
    for (const name of names) console.log(`${name}: ${await addressOf(name)}`);
  },
  async nameOnce(name) {
    console.log(`${name}: ${await addressOf(name, 1)}`);
  },
  /** Answers each name of `NAME=HEX` with that address, on the uplink; another name with silence. */
  resolver(at, ...records) {
    const socket = createSocket("udp4");
    socket.on("message", (question, from) => {
      const end = question.indexOf(0, 12) + 5;
      let name = "";
      for (let at = 12; question[at]; at += 1 + (question[at] ?? 0))
        name += `${name && "."}${question.toString("latin1", at + 1, at + 1 + (question[at] ?? 0))}`;
      const record = records.find((each) => each.startsWith(`${name}=`));
      if (!record) return;
      const address = Buffer.from(record.split("=")[1] ?? "", "hex");
      const head = Buffer.from(question.subarray(0, 12));
      head.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
      const answer = Buffer.from([
        0xc0,
        12,
        0,
        address.length === 4 ? 1 : 28,
        0,
        1,
        0,
        0,
        0,
        60,
        0,
        address.length,
      ]);
      socket.send(
        Buffer.concat([head, question.subarray(12, end), answer, address]),
        from.port,
        from.address,
      );
    });
    socket.bind(53, at, () => console.log("resolving"));
  },
  /** The message with the MAC of another host each time. */
  async strangers(message, count) {
    const next = numbers(1);
    const all = Array.from({ length: Number(count) }, () => {
      const own = Buffer.from(message, "hex");
      own.writeUInt16BE(0x0200, 28);
      own.writeUInt32BE(next(), 30);
      return own;
    });
    console.log(`${await sendAsClient(all)} offers to strangers`);
  },
  /** The message with some of its bytes changed, or cut short. */
  async fuzzed(message, count) {
    const next = numbers(2);
    const all = Array.from({ length: Number(count) }, () => {
      const own = Buffer.from(message, "hex");
      for (let changes = (next() % 8) + 1; changes > 0; changes--) own[next() % own.length] = next() & 255;
      return next() % 4 === 0 ? own.subarray(0, next() % own.length) : own;
    });
    await sendAsClient(all);
    console.log("fuzzed");
  },
};

const [, , act = "", ...given] = process.argv;
void acts[act]?.(...given);
