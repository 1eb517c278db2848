import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../tools";
import {
  endless,
  env,
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

test("takes the checksum from the list beside the file, and records it", async () => {
  const input = request();
  const { manifest } = await runStep("fetch", input, env);
  expect(manifest).toEqual({ path: input.path, sha256: isoSha256, bytes: iso.length });
  expect(sha256Of(readFileSync(input.path))).toBe(isoSha256);
  expect(JSON.parse(readFileSync(input.recordFile, "utf8"))).toEqual({ [input.url]: isoSha256 });
});

test("a wrong checksum is refused", async () => {
  await refused(request({ sha256: "0".repeat(64) }), isoSha256, "expected 000000", "Nothing of it was kept");
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
