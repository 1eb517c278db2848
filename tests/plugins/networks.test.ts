import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerArgs } from "../../stack/bucket";
import { inToolEnvironment, tool, TOP } from "../tools";
import { ConnectProxy } from "./connect-proxy";
import { Plugin, type Properties } from "./plugin-client";

/** A name that only the proxy knows: RFC 6761, section 6.4. */
const NAME = "s3.invalid";
/** A port on which nothing listens. */
const DEAD = "http://127.0.0.1:9";
const KEYS = { AWS_ACCESS_KEY_ID: "key-for-one-test", AWS_SECRET_ACCESS_KEY: "sesame-6d1f" };
const MISSING = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";

let folder: string;
let server: Server;
let port: number;
let certificate: string;
/** What the bucket's server does with a request: a test sets it. */
let route: RequestListener;
let requests: string[];
let proxy: ConnectProxy;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  const key = join(folder, "key.pem");
  certificate = join(folder, "certificate.pem");
  const names = ["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME},DNS:localhost`];
  await tool("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"],
    ...["-keyout", key, "-out", certificate, ...names],
  ]);
  server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    requests.push(`${request.method} ${request.url?.replace(/\?.*/, "")}`);
    route(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(async () => {
  requests = [];
  route = (request, response) => {
    request.resume();
    request.on("end", () =>
      request.method === "PUT"
        ? response.writeHead(200, { etag: '"e"' }).end()
        : response.writeHead(404, { "content-type": "application/xml" }).end(MISSING),
    );
  };
  proxy = await ConnectProxy.start(port);
});
afterEach(() => proxy.close());
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const networks = (env: NodeJS.ProcessEnv) => ({
  ...KEYS,
  NODE_EXTRA_CA_CERTS: certificate,
  ...{ http_proxy: "", https_proxy: "", HTTPS_PROXY: "", NO_PROXY: "", no_proxy: "" },
  ...env,
});

/** As `npm run verify` does, for an object of the bucket. */
const verify = (env: NodeJS.ProcessEnv, endpoint = `https://${NAME}`) =>
  inToolEnvironment("node", ["--import", "tsx", "commands/verify-image.ts", "s3://images/x.raw"], {
    cwd: TOP,
    env: networks({ AWS_ENDPOINT_URL: endpoint, ...env }),
  });

describe("a bucket behind a proxy", () => {
  test("is reached through the proxy, which resolves the name itself", async () => {
    const { stderr } = await verify({ https_proxy: proxy.origin });
    expect(stderr).toContain("(NoSuchKey): there is no such object");
    expect(proxy.asked).toEqual([`${NAME}:443`]);
    expect(requests).toEqual(["GET /images/SHA256SUMS"]);
  });

  test("is not asked by way of it where no_proxy names the server", async () => {
    const { stderr } = await verify(
      { HTTPS_PROXY: proxy.origin, NO_PROXY: "localhost" },
      `https://localhost:${port}`,
    );
    expect(stderr).toContain("(NoSuchKey): there is no such object");
    expect(proxy.asked).toEqual([]);
  });

  test("with nothing there says that it may be the proxy", async () => {
    const { stderr } = await verify({ https_proxy: DEAD });
    expect(stderr).toMatch(/^verify: .*ECONNREFUSED.*https_proxy/);
  });

  test("that needs a password says so", async () => {
    const refusing = await ConnectProxy.start(port, 407);
    const { stderr } = await verify({ https_proxy: refusing.origin });
    refusing.close();
    expect(stderr).toMatch(/^verify: .*407.*https_proxy/);
  });

  test("is uploaded to by way of it", async () => {
    const args = Object.entries(providerArgs({ endpoint: `https://${NAME}` }, KEYS));
    const config = Object.fromEntries(
      args.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ) as Properties;
    const plugin = await Plugin.start("aws", "aws:s3/bucketObjectv2:BucketObjectv2", {
      config,
      env: networks({ https_proxy: proxy.origin }),
    });
    const { state } = await plugin.create({ bucket: "images", key: "x", content: "x" });
    await plugin.stop();
    expect(state.etag).toBe("e");
    expect(requests).toEqual(["PUT /images/x"]);
    expect(proxy.asked).toEqual([`${NAME}:443`]);
  });
});

describe("a bucket's server that does not do what it should", () => {
  const direct = (env: NodeJS.ProcessEnv) => verify({ https_proxy: "", ...env }, `https://localhost:${port}`);
  const impatient = { BOOTSTRAP_PXE_STALL_SECONDS: "1" };

  test("one that falls silent in the middle", async () => {
    route = (_request, response) => response.writeHead(200, { "content-length": 100_000 }).write("x");
    const { stderr } = await direct(impatient);
    expect(stderr).toMatch(/^verify: downloading \S+ from \S+: .*TimeoutError.*the connection stalled/m);
  });

  test("one that drips", async () => {
    route = (_request, response) => {
      response.writeHead(200, { "content-length": 100_000 });
      const dripping = setInterval(() => response.write("x"), 50);
      response.on("close", () => clearInterval(dripping));
    };
    expect((await direct(impatient)).stderr).toMatch(/TimeoutError.*the connection stalled/);
  });

  test("one whose certificate an unknown authority signed", async () => {
    const { stderr } = await direct({ NODE_EXTRA_CA_CERTS: "" });
    expect(stderr).toMatch(/DEPTH_ZERO_SELF_SIGNED_CERT\): .*AWS_CA_BUNDLE/);
  });
});
