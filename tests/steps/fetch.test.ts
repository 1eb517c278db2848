import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { inToolEnvironment, sha256Of, tool, toolEnvironment } from "../tools";
import {
  breaking,
  env,
  folder,
  iso,
  isoSha256,
  origin,
  refused,
  refusedIn,
  request,
  requests,
  routes,
  whole,
} from "./fetch-origin";
import { runStep } from "./run-step";

test("a second run asks the network nothing", async () => {
  const input = request();
  await runStep("fetch", input, env);
  requests.length = 0;
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
    requests.length = 0;
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

test("what is there already with the right checksum is not downloaded again for a new key", async () => {
  const input = request();
  await runStep("fetch", input, env);
  delete routes["/talos.iso"];
  const again = await runStep("fetch", { ...input, key: "k2" }, env);
  expect(again.manifest?.sha256).toBe(isoSha256);
  expect(again.said).toContain("is there already, with the right checksum");
});

test("a local file that is not there is called so", async () => {
  await refused(request({ url: "file:///nowhere/metal.iso" }), "no such file", "isoUrl");
});

test("a touched file is read again, a truncated one is fetched again", async () => {
  const input = request();
  await runStep("fetch", input, env);
  requests.length = 0;
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
