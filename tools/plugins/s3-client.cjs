// A client of an S3-compatible server, as the stand-in for the `aws` plugin and `npm run verify` ask it.

const { readFileSync } = require("node:fs");
const { Agent } = require("node:https");
const { rootCertificates } = require("node:tls");
const { transferLimits } = require("../../steps/store/transfer.cjs");
const { namesProxy } = require("../proxies.cjs");

/** The SDK waits longer after each try, 20 s at most: some 40 s in all for a server that starts again. */
const TRIES = 12;

// Node 20 goes without the SDK's releases of 2027 on, not without the one that package-lock.json names.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** What is a fault is thrown; it would warn of two keys in the environment, of which the profile says which one counts. */
const UNHEARD = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * @typedef {object} Server as the arguments of an `aws.Provider` have it (stack/bucket.ts)
 * @property {string} [region]
 * @property {{ s3?: string }[]} [endpoints]
 * @property {boolean} [s3UsePathStyle]
 * @property {string} [profile]
 * @property {string[]} [sharedConfigFiles]
 * @property {number} [maxRetries]
 */

/** How messages name a server. @param {Server} server */
const nameOf = ({ endpoints, region }) => endpoints?.[0]?.s3 ?? `S3 in ${region}`;

/**
 * Certificates of a file that a variable of the environment names.
 *
 * @param {string} variable @param {string} path
 */
function certificatesIn(variable, path) {
  const refuse = (/** @type {string} */ found) =>
    Object.assign(new Error(`${variable} is ${path}, and ${found}`), { name: "CertificateFile" });
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch (fault) {
    throw refuse(`that file cannot be read (${/** @type {NodeJS.ErrnoException} */ (fault).code})`);
  }
  if (!/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(text))
    throw refuse("that file has no certificate (PEM)");
  return text;
}

/**
 * The authorities that are trusted, where AWS_CA_BUNDLE adds some: AWS's other tools heed it, and the SDK for JavaScript does
 * not. Node adds NODE_EXTRA_CA_CERTS to its own list alone, which another one replaces.
 */
function authorities() {
  const { AWS_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: extra } = process.env;
  if (!bundle) return undefined;
  return [
    ...rootCertificates,
    certificatesIn("AWS_CA_BUNDLE", bundle),
    ...(extra ? [certificatesIn("NODE_EXTRA_CA_CERTS", extra)] : []),
  ];
}

/** What takes requests to the proxy that the environment names for them, if any, as curl does: the SDK heeds none. */
async function agents() {
  const ca = authorities();
  const options = { keepAlive: true, ...(ca && { ca }) };
  if (!namesProxy(process.env)) return ca ? { httpsAgent: new Agent(options) } : {};
  // Not by require(): it is an ES module, which Node 20 loads this way only.
  const { ProxyAgent } = await import("proxy-agent");
  const agent = new ProxyAgent(options);
  return { httpAgent: agent, httpsAgent: agent };
}

/**
 * What asks for no checksum but those that an operation needs. Servers other than AWS's may refuse the newer ones, which the SDK
 * sends by itself (AWS SDKs and Tools Reference Guide, "Data Integrity Protections for Amazon S3"). What is sent stays
 * protected: the signature covers its SHA-256.
 */
const FEW_CHECKSUMS = /** @type {const} */ ({
  requestChecksumCalculation: "WHEN_REQUIRED",
  responseChecksumValidation: "WHEN_REQUIRED",
});

/**
 * @param {Server} server
 * @returns {Promise<import("@aws-sdk/client-s3").S3Client>} with the key of its profile, or the one that AWS's tools keep
 */
async function makeClient({ region, endpoints, s3UsePathStyle, profile, sharedConfigFiles, maxRetries }) {
  // It takes half a second to load, and most runs of the plugin ask nothing of it.
  const { S3Client } = require("@aws-sdk/client-s3");
  if (sharedConfigFiles?.[0]) process.env.AWS_CONFIG_FILE = sharedConfigFiles[0];
  const { connect, stall } = transferLimits();
  return new S3Client({
    region,
    endpoint: endpoints?.[0]?.s3,
    forcePathStyle: s3UsePathStyle,
    profile,
    ...(endpoints?.[0]?.s3 && !process.env.AWS_REQUEST_CHECKSUM_CALCULATION && FEW_CHECKSUMS),
    logger: UNHEARD,
    maxAttempts: Number(maxRetries ?? TRIES),
    // A slow server may take as long as it likes, but not say nothing for so long.
    requestHandler: { connectionTimeout: connect * 1000, socketTimeout: stall * 1000, ...(await agents()) },
  });
}

module.exports = { makeClient, nameOf };
