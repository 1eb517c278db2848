import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import * as contract from "./contracts/fetch";
import { fileFault, whyUnreadable } from "./store/given-file";
import { intact, manifestOf, publish, sha256File, verified } from "./store/files";
import { recordDigests, recordedDigest } from "./store/records";
import { failureOf, run, type RunOptions } from "./programs/process";
import { reportProgress } from "./frame/progress";
import { writesTo } from "./frame/room";
import { filePath, isFileUrl, splitQuery } from "../stack/source-url";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import {
  curlFault,
  curlFlags,
  curlListFlags,
  isPage,
  MOST_LIST_BYTES,
  transferLimits,
  type Fault,
} from "./store/transfer.cjs";
import { MIB } from "../stack/mib";

/** The query is no part of the URL here. */
type Request = z.output<typeof contract.Input> & { query: string };

/** First bytes that tell a file's kind, by offset: ECMA-119 section 8.1, and QEMU's qcow2 specification. */
const MAGIC = {
  iso: { offset: 0x8001, bytes: Buffer.from("CD001"), name: "an ISO 9660 image" },
  qcow2: { offset: 0, bytes: Buffer.from([0x51, 0x46, 0x49, 0xfb]), name: "a qcow2 disk image" },
};
/** Names under which releases publish their checksums beside a file: Talos, then Ubuntu. */
const CHECKSUM_LISTS = ["sha256sum.txt", "SHA256SUMS"];

/** What lies under artifacts/ was made on this machine: its digest means nothing on another. */
function isMadeHere(url: string): boolean {
  return isFileUrl(url) && !relative(resolve("artifacts"), filePath(url)).startsWith("..");
}

async function record(context: StepContext, request: Request, sha256: string): Promise<void> {
  if (!isMadeHere(request.url)) await recordDigests(context, request, { [request.url]: sha256 });
}

/** A server without ranges, or a file that is whole already. */
const CANNOT_RESUME = /returned error: 416|byte ranges/;

/** What failed for good. */
class TransferFault extends Error {
  constructor(
    readonly fault: Fault,
    cause: unknown,
  ) {
    super(fault.words, { cause });
  }
}

function limits() {
  try {
    return transferLimits();
  } catch (fault) {
    throw new StepError("reading the environment", (fault as Error).message, "Right: 60, or unset it");
  }
}

/** Runs curl, which reads the URL from its stdin: everybody on the machine can read the arguments of a process. */
const curl = (context: StepContext, url: string, args: string[], options: RunOptions) =>
  run(context, "curl", [...args, "--config", "-"], {
    ...options,
    // curl(1), --config: within quotes, a backslash escapes.
    input: `url = "${url.replace(/["\\]/g, "\\$&")}"\n`,
  });

/**
 * Runs curl, as often as its reason to fail makes worth it.
 *
 * @param url with its query
 * @param helped called before each further try, with the reason; whether the tries are to be counted anew
 * @returns what it printed
 * @throws TransferFault
 */
async function transfer(
  context: StepContext,
  url: string,
  args: string[],
  { maxBuffer }: { maxBuffer?: number } = {},
  helped: (fault: Fault) => Promise<boolean> = () => Promise.resolve(false),
): Promise<string> {
  const { retry } = limits();
  for (let tries = 1; ; tries++) {
    try {
      return (await curl(context, url, args, maxBuffer === undefined ? {} : { maxBuffer })).stdout;
    } catch (thrown) {
      context.signal.throwIfAborted();
      const fault = curlFault(failureOf(thrown).stderr);
      if (!fault) throw thrown;
      if (await helped(fault)) tries = 0;
      if (tries >= fault.tries) throw new TransferFault(fault, thrown);
      context.log(`${fault.words}; trying again in ${retry} s`);
      await pause(retry * 1000, undefined, { signal: context.signal });
    }
  }
}

/** A list beside a source: its text, or why there is none to read. */
type List = { name: string; url: string } & ({ text: string } | { fault: Fault });

async function readList(context: StepContext, source: string, name: string): Promise<List> {
  const url = `${source.slice(0, source.lastIndexOf("/"))}/${name}`;
  const list = { name, url };
  if (isFileUrl(url)) {
    const unread = fileFault(filePath(url));
    if (!unread) return { ...list, text: readFileSync(filePath(url), "utf8") };
    const status = unread.isAbsent ? 404 : undefined;
    return { ...list, fault: { words: unread.words, status, tries: 1, help: "" } };
  }
  try {
    const text = await transfer(context, url, curlListFlags(limits()), { maxBuffer: MOST_LIST_BYTES });
    return { ...list, text };
  } catch (thrown) {
    context.signal.throwIfAborted();
    if (thrown instanceof TransferFault) return { ...list, fault: thrown.fault };
    // get-stream's word for an output that is larger than it may be.
    if (!/maxBuffer exceeded/.test(((thrown as Error).cause as Error | undefined)?.message ?? ""))
      throw thrown;
    const words = `it is larger than ${MOST_LIST_BYTES / MIB} MiB`;
    return { ...list, fault: { words, tries: 1, help: "That is no list of checksums" } };
  }
}

/** The digest that a list in the form of sha256sum(1) has for a file. */
function digestIn(text: string, file: string): string | undefined {
  const line = text.split("\n").find((row) => row.replace(/^\S+\s+\*?(\.\/)?/, "").trim() === file);
  return /^([0-9a-f]{64})\s/i.exec(line ?? "")?.[1]?.toLowerCase();
}

/** Whether a server said that it has no such file, or will not say (S3 answers 403 for both). */
const isRefusal = ({ status }: Fault) => status !== undefined && status >= 400 && status < 500;
const isMissing = ({ status }: Fault) => status === 404 || status === 410;

/**
 * The checksum that the release itself publishes.
 *
 * @throws StepError with the true reason where it publishes none for this file, or that cannot be known
 */
async function publishedDigest(
  context: StepContext,
  { url, setKeys, isUnlisted }: Request,
): Promise<string | undefined> {
  const doing = `checking ${url}`;
  const file = basename(new URL(url, "file:///").pathname);
  const lists: List[] = [];
  for (const name of CHECKSUM_LISTS) {
    const list = await readList(context, url, name);
    const digest = "text" in list ? digestIn(list.text, file) : undefined;
    if (digest) return digest;
    if ("fault" in list && !isRefusal(list.fault)) throw unreadable(doing, list.url, list.fault);
    lists.push(list);
  }
  if (isFileUrl(url)) return undefined;
  const set = `pulumi config set ${setKeys.sha256} SHA256`;
  for (const list of lists) {
    if ("text" in list && isPage(list.text.slice(0, 1024))) {
      const found = `its checksum list ${list.url} is a page of HTML`;
      const next = `A login page answers like this: log in to this network first, or see where ${setKeys.url} points to`;
      throw new StepError(doing, found, next);
    }
    if ("fault" in list && !isMissing(list.fault) && !isUnlisted) {
      const { help, ...fault } = list.fault;
      const next = `See that you may read it. If there is none, take the checksum from the file's maker: ${set}`;
      throw unreadable(doing, list.url, { ...fault, help: help || next });
    }
  }
  if (isUnlisted) return undefined;
  const looks = lists.map((list) => `${list.name}: ${"text" in list ? `has no ${file}` : "not there"}`);
  throw new StepError(
    doing,
    `no checksum list beside it names it (${looks.join(", ")}), and ${setKeys.sha256} is not set`,
    `Set it to what the file's maker publishes: ${set}`,
  );
}

function unreadable(doing: string, list: string, { words, help }: Fault): StepError {
  const next = help || "Run the same again";
  return new StepError(doing, `its checksum list ${list} could not be read: ${words}`, next);
}

async function expectedDigest(context: StepContext, request: Request): Promise<string | undefined> {
  const known = recordedDigest(request, request.url);
  if (request.sha256 && known && request.sha256 !== known.digest) {
    throw new StepError(
      `checking ${request.url}`,
      `${request.setKeys.sha256} says ${request.sha256}, but ${known.file} recorded ${known.digest} at its first use`,
      `Remove its line from ${known.file} if the new one is meant`,
    );
  }
  return request.sha256 ?? known?.digest ?? (await publishedDigest(context, request));
}

/** How large a file is, where its server says so soon: only for the lines about progress. */
async function sizeOf(context: StepContext, url: string): Promise<number | undefined> {
  const { connect, ...others } = limits();
  const flags = [...curlListFlags({ ...others, connect, list: connect }), "--head"];
  const head = await curl(context, url, flags, { maxBuffer: MOST_LIST_BYTES }).catch(() => undefined);
  context.signal.throwIfAborted();
  const lengths = [...(head?.stdout ?? "").matchAll(/^content-length:\s*(\d+)/gim)];
  return lengths.length > 0 ? Number(lengths.at(-1)?.[1]) : undefined;
}

/** Downloads with retries; each goes on where the one before, or a killed run, stopped. */
async function download(
  context: StepContext,
  { url, query, path, setKeys }: Request,
  partial: string,
): Promise<void> {
  const size = () => statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  const stopTelling = reportProgress(
    context,
    `of ${basename(path)} fetched`,
    size,
    await sizeOf(context, url + query),
  );
  let most = size();
  try {
    const args = [...curlFlags(limits()), "--continue-at", "-", "--output", partial];
    await transfer(context, url + query, args, {}, async ({ words }) => {
      const moved = size() - most >= MIB;
      most = Math.max(most, size());
      if (CANNOT_RESUME.test(words)) await rm(partial, { force: true });
      return moved;
    });
  } catch (thrown) {
    if (!(thrown instanceof TransferFault)) throw thrown;
    const { words, tries, help } = thrown.fault;
    const mirror = `set ${setKeys.url} to a mirror or a file://`;
    const again = tries > 1 ? `Run the same again to go on from here, or ${mirror}` : undefined;
    const next = again ?? (help ? `Or ${mirror}` : `See that ${setKeys.url} is right, or ${mirror}`);
    throw new StepError(`fetching ${url}`, words, help ? `${help}. ${next}` : next, { cause: thrown.cause });
  } finally {
    stopTelling();
  }
}

/** What a file that is not what it should be looks like. */
function looks(path: string, kind: Request["kind"]): string | undefined {
  const { offset, bytes, name } = MAGIC[kind];
  const head = Buffer.alloc(offset + bytes.length);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.subarray(offset).equals(bytes)) return undefined;
  return isPage(head.subarray(0, 1024).toString()) ? "a page of HTML" : `not ${name}`;
}

async function check(request: Request, partial: string, expected: string | undefined): Promise<string> {
  const bytes = statSync(partial).size;
  const wrongKind = looks(partial, request.kind);
  const sha256 = await sha256File(partial);
  if (wrongKind || (expected && sha256 !== expected)) {
    await rm(partial, { force: true });
    const found = wrongKind
      ? `${wrongKind}, ${bytes} bytes`
      : `${bytes} bytes with the SHA-256 ${sha256}, expected ${expected}`;
    const next = wrongKind
      ? `See where ${request.setKeys.url} points to; a login page or a wrong link answers like this`
      : `The file is damaged, cut short or another one; if it is the right one, set ${request.setKeys.sha256}`;
    throw new StepError(`checking what ${request.url} gave`, `${found}. Nothing of it was kept`, next);
  }
  return sha256;
}

/** The digest of what lies where the source goes. A local source is looked at itself: it may have been replaced. */
async function digestThere({ path, url }: Request): Promise<string | undefined> {
  const stamp = intact(path);
  if (stamp) return isFileUrl(url) ? undefined : stamp.sha256;
  return existsSync(path) ? sha256File(path) : undefined;
}

void runStep("fetch", contract, async (given, context) => {
  const source = splitQuery(given.url);
  const request = { ...given, ...source, query: source.query || (process.env.URL_QUERY ?? "") };
  const here = await verified(request.path, request.key);
  if (here) return manifestOf(request.path, here);

  const expected = await expectedDigest(context, request);
  await mkdir(dirname(request.path), { recursive: true });
  if (expected && (await digestThere(request)) === expected) {
    context.log(`${request.path} is there already, with the right checksum`);
    await record(context, request, expected);
    return manifestOf(
      request.path,
      await publish(request.path, request.path, request.key, { sha256: expected }),
    );
  }
  writesTo(dirname(request.path));
  // Not named by process, so that a later run can go on where a killed one stopped.
  const partial = join(dirname(request.path), `.${basename(request.path)}.download`);
  if (isFileUrl(request.url)) {
    const source = filePath(request.url);
    const fault = whyUnreadable(source);
    if (fault)
      throw new StepError(
        `fetching ${request.url}`,
        fault,
        `Put the file there or set ${request.setKeys.url}`,
      );
    await run(context, "cp", ["--reflink=auto", source, partial]);
  } else {
    await download(context, request, partial);
  }
  const sha256 = await check(request, partial, expected);
  if (!expected && request.isUnlisted)
    context.log(
      `the Image Factory publishes no checksum: ${sha256} is recorded in ${request.recordFile}, and counts from now on`,
    );
  await record(context, request, sha256);
  return manifestOf(request.path, await publish(partial, request.path, request.key, { sha256 }));
});
