import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inToolEnvironment, sha256Of, tool, toolEnvironment } from "../tools";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
/** What makes a file pass for an ISO: ECMA-119's magic at 0x8001. */
const iso = Buffer.alloc(3 << 20, "talos");
iso.write("CD001", 0x8001);
const isoSha256 = sha256Of(iso);

/** What the server does with a path: a test sets it. */
let routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
let requests: { url?: string; range?: string }[];
let server: Server;
let origin: string;
let env: NodeJS.ProcessEnv;
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
function whole(content: Buffer | string) {
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
function breaking(content: Buffer, after: number, times: number) {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "HEAD" || times-- <= 0) return whole(content)(request, response);
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, after), () => response.destroy());
  };
}

/** Sends lines without end, as fast as they are taken. */
function endless(_request: IncomingMessage, response: ServerResponse) {
  const lines = `${"0".repeat(64)}  other.iso\n`.repeat(1000);
  const send = () => {
    while (response.write(lines));
  };
  response.on("drain", send);
  send();
}

function request(more: object = {}) {
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
async function refused(input: ReturnType<typeof request>, ...words: string[]) {
  return refusedIn(env, input, ...words);
}
async function refusedIn(env: NodeJS.ProcessEnv, input: ReturnType<typeof request>, ...words: string[]) {
  const { manifest, said } = await runStep("fetch", input, env);
  expect(manifest).toBeUndefined();
  for (const word of words) expect(said).toContain(word);
  expect(existsSync(input.path)).toBe(false);
  expect(existsSync(input.recordFile)).toBe(false);
  return said;
}

test("takes the checksum from the list beside the file, and records it", async () => {
  const input = request();
  const { manifest } = await runStep("fetch", input, env);
  expect(manifest).toEqual({ path: input.path, sha256: isoSha256, bytes: iso.length });
  expect(sha256Of(readFileSync(input.path))).toBe(isoSha256);
  expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });
});

test("a second run asks the network nothing", async () => {
  const input = request();
  await runStep("fetch", input, env);
  requests = [];
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
  expect(requests).toEqual([]);
});

test("a connection that breaks is taken up where it broke", async () => {
  routes["/talos.iso"] = breaking(iso, 1 << 20, 1);
  const { manifest } = await runStep("fetch", request(), env);
  expect(manifest?.sha256).toBe(isoSha256);
  expect(requests.some(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ""))).toBe(true);
});

test("what an earlier, killed run got is continued", async () => {
  const input = request();
  writeFileSync(join(input.path, "..", ".metal-amd64.iso.download"), iso.subarray(0, 1234567));
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
  expect(requests.map(({ range }) => range)).toContain("bytes=1234567-");
});

test("a server that stumbles is asked again", async () => {
  let stumbles = 2;
  routes["/talos.iso"] = (request, response) =>
    request.method === "GET" && stumbles-- > 0
      ? response.writeHead(503).end()
      : whole(iso)(request, response);
  expect((await runStep("fetch", request(), env)).manifest?.sha256).toBe(isoSha256);
});

test("a download that stalls at the same place is given up, and what came is kept", async () => {
  routes["/talos.iso"] = (request, response) => {
    if (request.method === "HEAD") return whole(iso)(request, response);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from ? 206 : 200, {
      "content-length": iso.length - from,
      ...(from && { "content-range": `bytes ${from}-${iso.length - 1}/${iso.length}` }),
    });
    response.write(iso.subarray(from, 200_000));
  };
  const input = request();
  const limit = { ...env, BOOTSTRAP_PXE_STALL_SECONDS: "1" };
  await refusedIn(limit, input, "(28) Operation too slow", "Run the same again to go on from here");
  expect(statSync(join(input.path, "..", ".metal-amd64.iso.download")).size).toBe(200_000);
});

test("a line that breaks often is worth as many tries as it takes, while each brings some", async () => {
  const [large, step] = [Buffer.concat([iso, iso, iso, iso]), 1.2 * (1 << 20)];
  routes["/sha256sum.txt"] = whole(`${sha256Of(large)}  talos.iso\n`);
  routes["/talos.iso"] = (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (request.method === "HEAD" || large.length - from <= step) return whole(large)(request, response);
    response.writeHead(from ? 206 : 200, {
      "content-length": large.length - from,
      ...(from && { "content-range": `bytes ${from}-${large.length - 1}/${large.length}` }),
    });
    response.write(large.subarray(from, from + step), () => response.destroy());
  };
  expect((await runStep("fetch", request(), env)).manifest?.sha256).toBe(sha256Of(large));
  expect(requests.length).toBeGreaterThan(8);
});

test("a limit that is no number is refused", async () => {
  await refusedIn(
    { ...env, BOOTSTRAP_PXE_STALL_SECONDS: "1m" },
    request(),
    'BOOTSTRAP_PXE_STALL_SECONDS is "1m"',
  );
});

test("progress is told in figures", async () => {
  const FIGURE = /33 %, 1 of 3 MiB of metal-amd64\.iso/;
  let sendRest = (): unknown => undefined;
  routes["/talos.iso"] = (request, response) => {
    response.writeHead(200, { "content-length": iso.length });
    if (request.method === "HEAD") return response.end();
    response.write(iso.subarray(0, 1 << 20));
    sendRest = () => response.end(iso.subarray(1 << 20));
  };
  const running = inToolEnvironment("steps/run", ["fetch"], { input: JSON.stringify(request()), env });
  let said = "";
  running.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (FIGURE.test(said)) sendRest();
  });
  expect(await running).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(FIGURE) as string });
});

test("a wrong checksum is refused", async () => {
  await refused(request({ sha256: "0".repeat(64) }), isoSha256, "expected 000000", "Nothing of it was kept");
});

test("a truncated file is refused", async () => {
  routes["/talos.iso"] = whole(iso.subarray(0, 2 << 20));
  await refused(request(), "2097152 bytes", `expected ${isoSha256}`);
});

test("a page of HTML is refused, and called so", async () => {
  const page = "<!DOCTYPE html><html><body>Please log in</body></html>";
  routes["/talos.iso"] = whole(page);
  await refused(request({ sha256: sha256Of(page) }), "a page of HTML", "isoUrl");
});

test("something that is no ISO is refused even when its checksum is right", async () => {
  const other = Buffer.alloc(1 << 20, "x");
  routes["/talos.iso"] = whole(other);
  await refused(request({ sha256: sha256Of(other) }), "not an ISO 9660 image");
});

test("a file that is not there says where to set another", async () => {
  await refused(request({ url: `${origin}/none.iso`, sha256: isoSha256 }), "404", "isoUrl");
});

test("without any checksum an https source is refused", async () => {
  delete routes["/sha256sum.txt"];
  await refused(
    request(),
    "no checksum list beside it names it (sha256sum.txt: not there, SHA256SUMS: not there)",
    "pulumi config set isoSha256",
  );
});

test("a list that does not name the file is said to be there", async () => {
  routes["/sha256sum.txt"] = whole(`${isoSha256}  other.iso\n`);
  await refused(request(), "sha256sum.txt: has no talos.iso", "pulumi config set isoSha256");
});

describe("a list that cannot be had is told with its true reason, and nobody is sent to switch the check off", () => {
  const listFault = async (more: NodeJS.ProcessEnv, ...words: string[]) => {
    const said = await refusedIn({ ...env, ...more }, request(), ...words);
    expect(said).not.toContain("config set isoSha256");
    // Nothing but tries before it, and all of it in one line.
    expect(said.split("\n").filter((line) => !line.includes("trying again"))).toHaveLength(1);
    return said;
  };
  const asked = () => requests.filter(({ url }) => url === "/sha256sum.txt").length;

  test("an unknown authority, after one try", async () => {
    const said = await listFault(
      { CURL_CA_BUNDLE: undefined },
      "(60) SSL certificate problem: self",
      "CURL_CA_BUNDLE",
    );
    expect(said).not.toContain("trying again");
  });

  test("a bundle that is not there", async () => {
    await listFault({ CURL_CA_BUNDLE: "/none.pem" }, "(77)", "CURL_CA_BUNDLE names");
  });

  test("a connection that is refused, after some tries", async () => {
    const said = await refusedIn(
      env,
      request({ url: "https://localhost:9/talos.iso" }),
      "(7) Failed to connect",
    );
    expect(said.match(/trying again/g)).toHaveLength(2);
  });

  test("a connection that is reset, and one that ends without an answer", async () => {
    routes["/sha256sum.txt"] = (request) => request.socket.destroy();
    await listFault({}, "sha256sum.txt could not be read: (5");
    expect(asked()).toBe(6);
  });

  test("a server that stumbles for good", async () => {
    routes["/sha256sum.txt"] = (_request, response) => response.writeHead(503).end();
    await listFault({}, "returned error: 503", "The server has a fault of its own");
    expect(asked()).toBe(6);
  });

  test("a login page", async () => {
    routes["/sha256sum.txt"] = whole("<html><head><title>Welcome to our guest network</title></head></html>");
    await listFault({}, "sha256sum.txt is a page of HTML", "log in to this network");
  });

  test("a server that takes the request and says nothing", async () => {
    routes["/sha256sum.txt"] = () => undefined;
    await listFault({ BOOTSTRAP_PXE_STALL_SECONDS: "1" }, "(28) Operation too slow");
  });

  test("a server that drips, however fast that is", async () => {
    routes["/sha256sum.txt"] = (_request, response) => {
      const dripping = setInterval(() => response.write(`${"#".repeat(300)}\n`), 100);
      response.on("close", () => clearInterval(dripping));
    };
    await listFault({ BOOTSTRAP_PXE_LIST_SECONDS: "1" }, "(28) Operation timed out");
  });

  test("a list without end", async () => {
    routes["/sha256sum.txt"] = endless;
    await listFault({}, "it is larger than 1 MiB");
  });

  test("https that leads to http", async () => {
    routes["/sha256sum.txt"] = (_request, response) =>
      response.writeHead(302, { location: origin.replace("https", "http") }).end();
    await listFault({}, "redirects from https to http");
    expect(asked()).toBe(1);
  });
});

test("a list that may not be read leaves the choice: a server without one may say so too", async () => {
  routes["/sha256sum.txt"] = (_request, response) => response.writeHead(403).end();
  await refused(
    request(),
    "sha256sum.txt could not be read: (22)",
    "error: 403",
    "pulumi config set isoSha256",
  );
});

test("the second list counts where the first one is no list", async () => {
  routes["/sha256sum.txt"] = whole("<!doctype html><title>all there is</title>");
  routes["/SHA256SUMS"] = whole(`${isoSha256} *talos.iso\r\n`);
  expect((await runStep("fetch", request(), env)).manifest?.sha256).toBe(isoSha256);
});

test("the list is looked for beside the file, whatever its address asks for behind a question mark", async () => {
  routes["/talos.iso?key=a/b"] = whole(iso);
  const input = request({ url: `${origin}/talos.iso?key=a/b` });
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
});

describe("a query may be a signature or a token", () => {
  const bin = join(folder, "curl-watched");
  beforeAll(async () => {
    mkdirSync(bin);
    const real = (await tool("sh", ["-c", "command -v curl"])).trim();
    writeFileSync(join(bin, "curl"), `#!/bin/sh\necho "$@" >> '${bin}/arguments'\nexec ${real} "$@"\n`);
    chmodSync(join(bin, "curl"), 0o755);
  });

  test("it reaches the server, and neither what is recorded, told nor an argument of a process", async () => {
    routes['/talos.iso?sig=hunter2&q="\\'] = routes["/talos.iso?sig=hunter2&q=%22%5C"] = whole(iso);
    const input = request();
    const secret = { URL_QUERY: '?sig=hunter2&q="\\', PATH: `${bin}:${toolEnvironment.PATH}` };
    const { manifest, said } = await runStep("fetch", input, { ...env, ...secret });
    expect(manifest?.sha256).toBe(isoSha256);
    expect(requests.map(({ url }) => url)).toContainEqual(expect.stringContaining("sig=hunter2"));
    expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });
    expect(said + readFileSync(join(bin, "arguments"), "utf8")).not.toContain("hunter2");
  });

  test("another signature of the same path is the same source, by hand too", async () => {
    routes["/talos.iso?sig=1"] = whole(iso);
    const input = request();
    const first = await runStep("fetch", { ...input, url: `${input.url}?sig=1` }, env);
    expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });
    requests = [];
    const second = await runStep("fetch", { ...input, key: "k2", url: `${input.url}?sig=2` }, env);
    expect(second.manifest).toEqual(first.manifest);
    expect(requests).toEqual([]);
  });

  test("a failure does not tell it", async () => {
    const said = await refused(request({ url: `${origin}/none.iso?sig=hunter2`, sha256: isoSha256 }), "404");
    expect(said).not.toContain("hunter2");
  });
});

test("a user in a URL is refused before anything is recorded", async () => {
  const said = await refused(request({ url: origin.replace("//", "//me:hunter2@") + "/talos.iso" }));
  expect(said).toContain("url (it names a user or a password");
  expect(said).not.toContain("hunter2");
});

test("what was recorded at first use is held to after", async () => {
  const input = request();
  await runStep("fetch", input, env);
  const other = Buffer.from(iso).fill("y", 0, 100);
  routes["/talos.iso"] = whole(other);
  routes["/sha256sum.txt"] = whole(`${sha256Of(other)}  talos.iso\n`);
  const { manifest, said } = await runStep("fetch", { ...input, key: "k2", path: `${input.path}.2` }, env);
  expect(manifest).toBeUndefined();
  expect(said).toContain(`expected ${isoSha256}`);
  expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });
});

test("a mirror of what its maker publishes no checksum for may have a list all the same", async () => {
  routes["/sha256sum.txt"] = whole(`${"0".repeat(64)}  talos.iso\n`);
  await refused(request({ isUnlisted: true }), isoSha256, `expected ${"0".repeat(64)}`);
});

test("what is there already with the right checksum is not downloaded again for a new key", async () => {
  const input = request();
  await runStep("fetch", input, env);
  delete routes["/talos.iso"];
  const again = await runStep("fetch", { ...input, key: "k2" }, env);
  expect(again.manifest?.sha256).toBe(isoSha256);
  expect(again.said).toContain("is there already, with the right checksum");
});

test("what its maker publishes no checksum for is recorded at first use, which is said, and counts after", async () => {
  // The Image Factory takes any name for one of an image, and a wrong one for a bad request.
  routes["/sha256sum.txt"] = (_request, response) => response.writeHead(400).end();
  const input = request({ isUnlisted: true });
  const { manifest, said } = await runStep("fetch", input, env);
  expect(manifest?.sha256).toBe(isoSha256);
  expect(said).toContain(`the Image Factory publishes no checksum: ${isoSha256} is recorded in `);
  expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });

  routes["/talos.iso"] = whole(Buffer.from(iso).fill("y", 0, 100));
  const again = await runStep("fetch", { ...input, key: "k2", path: `${input.path}.2` }, env);
  expect(again.manifest).toBeUndefined();
  expect(again.said).toContain(`expected ${isoSha256}`);
});

test("a digest that comes with the checkout counts, and nothing is written for it", async () => {
  const input = request();
  const shipped = JSON.stringify({ [input.url]: isoSha256 });
  writeFileSync(input.lockFile, shipped);
  delete routes["/sha256sum.txt"];
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
  expect(readFileSync(input.lockFile, "utf8")).toBe(shipped);
  expect(existsSync(input.recordFile)).toBe(false);
});

test.each(["lockFile", "recordFile"] as const)(
  "a configured checksum that differs from the recorded one is refused: %s",
  async (file) => {
    const input = request();
    writeFileSync(input[file], JSON.stringify({ [input.url]: isoSha256 }));
    const { said } = await runStep("fetch", { ...input, sha256: "1".repeat(64) }, env);
    expect(said).toContain("recorded");
    expect(said).toContain("Remove its line");
  },
);

test("a local file is taken by file://, its list beside it counts", async () => {
  const input = request();
  const source = join(input.path, "..", "mine.iso");
  writeFileSync(source, iso);
  const { manifest } = await runStep("fetch", { ...input, url: `file://${source}` }, env);
  expect(manifest?.sha256).toBe(isoSha256);
  writeFileSync(join(source, "..", "SHA256SUMS"), `${"2".repeat(64)} *mine.iso\n`);
  const again = {
    ...input,
    url: `file://${source}`,
    path: `${input.path}.2`,
    recordFile: `${input.recordFile}.2`,
  };
  expect((await runStep("fetch", again, env)).said).toContain("expected 2222");
});

test("a local file that is not there is called so", async () => {
  await refused(request({ url: "file:///nowhere/metal.iso" }), "no such file", "isoUrl");
});

test("a touched file is read again, a truncated one is fetched again", async () => {
  const input = request();
  await runStep("fetch", input, env);
  requests = [];
  utimesSync(input.path, 1, 1);
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
  expect(requests).toEqual([]);
  truncateSync(input.path, 1000);
  expect((await runStep("fetch", input, env)).manifest?.sha256).toBe(isoSha256);
  expect(readFileSync(input.path).equals(iso)).toBe(true);
});

test("nothing but the file, its stamp and the record is left", async () => {
  const input = request();
  await runStep("fetch", input, env);
  expect(readdirSync(join(input.path, "..")).sort()).toEqual([
    ".metal-amd64.iso.stamp",
    "metal-amd64.iso",
    "sources.local.json",
  ]);
});
