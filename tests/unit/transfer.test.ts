import { curlFault, transferLimits } from "../../steps/store/transfer.cjs";

/** What curl 7.88 and 8.14 print with --silent --show-error, all of it. */
const CERTIFICATE = `curl: (60) SSL certificate problem: unable to get local issuer certificate
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.
`;

test("curl's advice about certificates is left out, and its reason stays", () => {
  expect(curlFault(CERTIFICATE)?.words).toBe(
    "(60) SSL certificate problem: unable to get local issuer certificate",
  );
});

test.each([
  [CERTIFICATE, 1, "CURL_CA_BUNDLE"],
  ["curl: (60) SSL certificate problem: self-signed certificate in certificate chain", 1, "CURL_CA_BUNDLE"],
  ["curl: (60) SSL certificate problem: certificate has expired", 1, "clock"],
  ["curl: (60) SSL: no alternative certificate subject name matches target host name 'x'", 1, "login page"],
  ["curl: (77) error setting certificate verify locations:  CAfile: /none CApath: none", 1, "CURL_CA_BUNDLE"],
  ["curl: (6) Could not resolve host: mirror.example", 3, "DNS"],
  ["curl: (5) Could not resolve proxy: proxy.example", 3, "https_proxy"],
  [
    "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
    3,
    "https_proxy",
  ],
  ["curl: (28) Connection timed out after 20001 milliseconds", 3, "network"],
  ["curl: (28) Operation too slow. Less than 1000 bytes/sec transferred the last 60 seconds", 3, "network"],
  ["curl: (35) OpenSSL SSL_connect: Connection reset by peer in connection to x:443", 3, "TLS"],
  ["curl: (52) Empty reply from server", 6, "network"],
  ["curl: (56) Recv failure: Connection reset by peer", 6, "network"],
  ["curl: (18) transfer closed with 100 bytes remaining to read", 6, "network"],
  ["curl: (33) HTTP server doesn't seem to support byte ranges. Cannot resume.", 6, ""],
  ["curl: (56) CONNECT tunnel failed, response 407", 1, "https_proxy"],
  ["curl: (56) Received HTTP code 403 from proxy after CONNECT", 1, "https_proxy"],
  ["curl: (56) CONNECT tunnel failed, response 503", 6, "network"],
  ['curl: (1) Protocol "http" not supported or disabled in libcurl', 1, "redirects from https to http"],
  ['curl: (1) Protocol "http" disabled in redirect', 1, "redirects from https to http"],
  ["curl: (22) The requested URL returned error: 404", 1, ""],
  ["curl: (22) The requested URL returned error: 429", 6, ""],
  ["curl: (22) The requested URL returned error: 503", 6, "fault of its own"],
  ["curl: (23) Failure writing output to destination", 1, "written"],
  ["curl: (3) URL using bad/illegal format or missing URL", 1, ""],
  ["curl: (63) Maximum file size exceeded", 1, ""],
])("%j is worth %i tries", (said, tries, help) => {
  const fault = curlFault(said);
  expect(fault).toMatchObject({ tries, help: expect.stringContaining(help) as string });
  expect(fault?.help).not.toMatch(/\.$|\n/);
});

test("a program that is not curl, or that was killed, gives no reason of curl", () => {
  expect(curlFault("setpriv: failed to execute curl: No such file or directory")).toBeUndefined();
  expect(curlFault("")).toBeUndefined();
});

test.each(["0", "-1", "1m", "Infinity"])("a limit of %j is refused, with the variable's name", (value) => {
  expect(() => transferLimits({ BOOTSTRAP_PXE_STALL_SECONDS: value })).toThrow(
    `BOOTSTRAP_PXE_STALL_SECONDS is "${value}", which is not a number of seconds above 0`,
  );
});

test("a limit that is empty is not set", () => {
  expect(transferLimits({ BOOTSTRAP_PXE_STALL_SECONDS: "" })).toEqual(transferLimits({}));
});
