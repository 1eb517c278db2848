import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inToolEnvironment, sha256Of } from "../tools";
import { runStep, testFolder } from "./run-step";

// Whoever imports this has a server of its own, which the hooks below start, reset and stop.

export const folder = testFolder();
/** What makes a file pass for an ISO: ECMA-119's magic at 0x8001. */
export const iso = Buffer.alloc(3 << 20, "talos");
iso.write("CD001", 0x8001);
export const isoSha256 = sha256Of(iso);

/** What the server does with a path: a test sets it. */
export let routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
export let requests: { url?: string; range?: string }[];
let server: Server;
export let origin: string;
export let env: NodeJS.ProcessEnv;
let number = 0;

beforeAll(async () => {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = await inToolEnvironment("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"],
    ...["-keyout", key, "-out", certificate, ...subject],
  ]);
  expect({ made: made.exitCode, said: made.exitCode ? made.all : "" }).toEqual({ made: 0, said: "" });
  env = { CURL_CA_BUNDLE: certificate, BOOTSTRAP_PXE_RETRY_SECONDS: "0.1", no_proxy: "localhost" };
  server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    requests.push({ url: request.url, range: request.headers.range });
    const route = routes[request.url ?? ""];
    if (route) route(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  requests = [];
  routes = { "/talos.iso": whole(iso), "/sha256sum.txt": whole(`${isoSha256}  talos.iso\n`) };
});

/** Serves a content, or from the byte that the client asks for. */
export function whole(content: Buffer | string) {
  const body = Buffer.from(content);
  return (request: IncomingMessage, response: ServerResponse) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const status = from > 0 ? 206 : 200;
    const range = from > 0 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {};
    response.writeHead(status, { "content-length": body.length - from, ...range });
    response.end(request.method === "HEAD" ? undefined : body.subarray(from));
  };
}

/** Breaks the connection after some bytes, as often as it is told to. */
export function breaking(content: Buffer, after: number, times: number) {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "HEAD" || times-- <= 0) return whole(content)(request, response);
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, after), () => response.destroy());
  };
}

/** Sends lines without end, as fast as they are taken. */
export function endless(_request: IncomingMessage, response: ServerResponse) {
  const lines = `${"0".repeat(64)}  other.iso\n`.repeat(1000);
  const send = () => {
    while (response.write(lines));
  };
  response.on("drain", send);
  send();
}

export function request(more: object = {}) {
  const place = join(folder, `case-${++number}`);
  mkdirSync(place);
  return {
    key: "k1",
    path: join(place, "metal-amd64.iso"),
    url: `${origin}/talos.iso`,
    kind: "iso",
    lockFile: join(place, "sources.lock.json"),
    recordFile: join(place, "sources.local.json"),
    setKeys: { url: "isoUrl", sha256: "isoSha256" },
    ...more,
  };
}

/** That nothing is kept under the final name, and the message says what matters. */
export async function refused(input: ReturnType<typeof request>, ...words: string[]) {
  return refusedIn(env, input, ...words);
}
export async function refusedIn(
  env: NodeJS.ProcessEnv,
  input: ReturnType<typeof request>,
  ...words: string[]
) {
  const { manifest, said } = await runStep("fetch", input, env);
  expect(manifest).toBeUndefined();
  for (const word of words) expect(said).toContain(word);
  expect(existsSync(input.path)).toBe(false);
  expect(existsSync(input.recordFile)).toBe(false);
  return said;
}
