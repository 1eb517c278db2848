import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inToolEnvironment, sha256Of, tool, TOP } from "../tools";

// Servers as people have them: with authorities of their own, at the other kind of address, older than S3's newest headers.

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
const SCRIPT = join(TOP, "tests/plugins/upload-once.cjs");
const SURROUNDINGS = {
  ...{ http_proxy: "", https_proxy: "", HTTPS_PROXY: "", HTTP_PROXY: "" },
  ...{ AWS_CA_BUNDLE: "", NODE_EXTRA_CA_CERTS: "", AWS_REQUEST_CHECKSUM_CALCULATION: "" },
  ...{ AWS_ACCESS_KEY_ID: "me", AWS_SECRET_ACCESS_KEY: "hunter2", NODE_NO_WARNINGS: "1" },
};
const servers: Server[] = [];

/** A key and a certificate for a name, by an authority or by itself. */
async function certificate(name: string, ...more: string[]): Promise<{ key: string; cert: string }> {
  const [key, cert] = ["key", "crt"].map((ending) => join(folder, `${name}.${ending}`)) as [string, string];
  await tool("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"],
    ...[
      "-keyout",
      key,
      "-out",
      cert,
      "-subj",
      `/CN=${name}`,
      "-addext",
      `subjectAltName=DNS:${name}`,
      ...more,
    ],
  ]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** Answers when all of a request is there. */
const heard =
  (answer: RequestListener): RequestListener =>
  (request, response) => {
    request.resume();
    request.on("end", () => answer(request, response));
  };
const takes = heard((_request, response) => response.writeHead(200, { etag: '"e"' }).end());

/** Begins to serve. @returns where, without what stands before the host */
async function listen(server: Server, name = "localhost"): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `${name}:${(server.address() as AddressInfo).port}`;
}

/** Uploads something. @returns what is said when that fails, on one line; else nothing */
async function fault(origin: string, env: NodeJS.ProcessEnv = {}, bytes = 1): Promise<string> {
  const { stdout, stderr } = await inToolEnvironment("node", [SCRIPT, origin, String(bytes)], {
    env: { ...SURROUNDINGS, ...env },
  });
  expect(stderr).toBe("");
  expect(stdout).not.toContain("\n");
  return stdout;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an authority of one's own is told by AWS_CA_BUNDLE, as AWS's tools are", async () => {
  const origin = `https://${await listen(createHttps(await certificate("localhost"), takes))}`;
  expect(await fault(origin)).toMatch(/\(DEPTH_ZERO_SELF_SIGNED_CERT\).*Let AWS_CA_BUNDLE name a file/);
  const env = { AWS_CA_BUNDLE: join(folder, "localhost.crt") };
  expect(await fault(origin, env)).toBe("");
  expect(await fault(origin, { NODE_EXTRA_CA_CERTS: env.AWS_CA_BUNDLE })).toBe("");
});

test.each([
  ["none.crt", "that file cannot be read (ENOENT)"],
  ["junk.crt", "that file has no certificate (PEM)"],
])("an AWS_CA_BUNDLE that has none is said as that: %s", async (name, words) => {
  const path = join(folder, name);
  writeFileSync(join(folder, "junk.crt"), "junk");
  const env = { AWS_CA_BUNDLE: path };
  expect(await fault("https://localhost:1", env)).toContain(`AWS_CA_BUNDLE is ${path}, and ${words}`);
});

test("a certificate of another name", async () => {
  const origin = `https://${await listen(createHttps(await certificate("elsewhere.example"), takes))}`;
  const env = { AWS_CA_BUNDLE: join(folder, "elsewhere.example.crt") };
  expect(await fault(origin, env)).toMatch(
    /DNS:elsewhere\.example.*for another name\. Write endpoint with a name/,
  );
});

test("a server that wants a certificate of its clients", async () => {
  const own = { ...(await certificate("localhost")), requestCert: true, rejectUnauthorized: true };
  const origin = `https://${await listen(createHttps(own, takes))}`;
  const env = { AWS_CA_BUNDLE: join(folder, "localhost.crt") };
  expect(await fault(origin, env)).toContain("wants a certificate of its clients");
});

test("https spoken to a server of http", async () => {
  const host = await listen(createHttp(takes));
  expect(await fault(`https://${host}`)).toContain(
    `speaks no TLS. If the server speaks http alone, write endpoint as http://${host}`,
  );
});

test("http spoken to a server of https", async () => {
  const host = await listen(createHttps(await certificate("localhost"), takes));
  expect(await fault(`http://${host}`)).toContain(
    `If the server speaks https, write endpoint as https://${host}`,
  );
});

const ANSWERS = {
  "Go's": "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
  "nginx's":
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html><title>400 plain HTTP</title></html>",
  "another protocol's": "SSH-2.0-OpenSSH_9.2\r\n",
  "a page, as if all were well": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>Log in</html>",
};

test("an answer that is none of S3's is no upload, and may be that of a server of https", async () => {
  const said = Object.entries(ANSWERS).map(async ([whose, answer]) => {
    const host = await listen(createTcp((socket) => socket.once("data", () => socket.end(answer))));
    return { whose, said: await fault(`http://${host}`) };
  });
  const words = /does not look like the answer of an S3 server\. .*speaks https, write endpoint as https:/;
  for (const each of await Promise.all(said))
    expect(each).toEqual({ ...each, said: expect.stringMatching(words) as string });
});

const XML = {
  refused: "<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>",
  begun: "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
  ended: '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>',
};
/** As servers that are older than S3's newer checksums: some refuse them. */
const older: RequestListener = ({ headers, method, url }, response) => {
  const isNewer = Object.keys(headers).some((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name));
  const asked = method === "POST" ? (/[?&]uploads/.test(url ?? "") ? XML.begun : XML.ended) : "";
  if (isNewer) response.writeHead(501).end(XML.refused);
  else response.writeHead(200, { etag: '"e"' }).end(asked);
};
test("a server that knows no newer checksums is sent none, in one piece or in parts", async () => {
  const host = await listen(createHttp(heard(older)));
  expect(await fault(`http://${host}`)).toBe("");
  expect(await fault(`http://${host}`, {}, 17 << 20)).toBe("");
});

test("where the environment asks for them all the same, that is what helps", async () => {
  const env = { AWS_REQUEST_CHECKSUM_CALCULATION: "when_supported" };
  const host = await listen(createHttp(heard(older)));
  expect(await fault(`http://${host}`, env)).toMatch(
    /\(NotImplemented\).*Set AWS_REQUEST_CHECKSUM_CALCULATION to when_required/,
  );
});

test("what is sent is covered by its signature all the same, in one piece or in parts", async () => {
  const signed: string[] = [];
  const host = await listen(
    createHttp((request, response) => {
      const { "x-amz-content-sha256": sha256 = "" } = request.headers;
      if (request.method === "PUT") signed.push(String(sha256));
      heard(older)(request, response);
    }),
  );
  await fault(`http://${host}`);
  await fault(`http://${host}`, {}, 17 << 20);
  // One piece, and two parts, which go side by side.
  const sent = [1, 16 << 20, 1 << 20].map((bytes) => sha256Of("x".repeat(bytes)));
  expect(signed.sort()).toEqual(sent.sort());
});
