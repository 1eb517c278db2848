// What a failed call to an S3-compatible server means, and what to do about it.

const { namesProxy } = require("../proxies.cjs");
const { orTls, TLS_REMEDIES, tlsReason } = require("./tls-faults.cjs");

/** @typedef {"write" | "read" | "delete"} Operation */
/** @typedef {{ operation: Operation, endpoint: string }} Asked endpoint is empty for AWS itself */

/** What a key has to be allowed (Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"). @type {Record<Operation, string>} */
const LEAVE = {
  write: "write, and give up uploads, in this bucket (s3:PutObject, s3:AbortMultipartUpload)",
  read: "read and list this bucket (s3:GetObject, s3:ListBucket)",
  delete: "delete in this bucket (s3:DeleteObject)",
};

const orProxy = () =>
  namesProxy(process.env)
    ? ", and that https_proxy names the right proxy"
    : ". Where only a proxy leads out, set https_proxy";

/** What to do, by the code that the server or the connection gave. @type {[code: RegExp, what: (asked: Asked) => string][]} */
const REMEDIES = [
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|AuthorizationHeaderMalformed)$/,
    () =>
      "the server does not take this key. See that access and secret key belong to this endpoint, and the region is right",
  ],
  [
    /^(AccessDenied|Forbidden|403)$/,
    ({ operation }) => `the key may not do this. Give it leave to ${LEAVE[operation]}`,
  ],
  [
    /^(NoSuchBucket|NotFound)$/,
    ({ operation }) =>
      `there is no such bucket. ${operation === "write" ? "Make it, private, or set bucket to one that is there" : "See that its name is right"}`,
  ],
  [/^NoSuchKey$/, () => "there is no such object. See that its name is right"],
  [
    /^(PermanentRedirect|TemporaryRedirect|30[1278])$/,
    () => "it is elsewhere. Set endpoint and region to those of the bucket",
  ],
  [/^RequestTimeTooSkewed$/, () => "this machine's clock and the server's differ too much. Set the clock"],
  [
    /^(NotImplemented|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch)$/,
    () =>
      "the server may not know S3's newer checksums. Set AWS_REQUEST_CHECKSUM_CALCULATION to when_required in the environment",
  ],
  [/^407$/, () => "the proxy wants a user and a password. Set https_proxy to http://USER:PASSWORD@HOST:PORT"],
  [
    /^ECONNREFUSED$/,
    () => `nothing answers there. See that endpoint is right and the server runs${orProxy()}`,
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    () => `its name is not known. See that endpoint is right and the network is up${orProxy()}`,
  ],
  [
    /^(ENETUNREACH|EHOSTUNREACH)$/,
    () => `no way leads there. See that endpoint is right and the network is up${orProxy()}`,
  ],
  ...TLS_REMEDIES,
  [
    /^(TimeoutError|ETIMEDOUT|ECONNRESET|EPIPE|RequestTimeout)$/,
    (asked) =>
      `the connection stalled or broke off, at each try. See that the server and the network are up${orTls(asked)}`,
  ],
  [
    // A page of HTML is no fault of S3's, which has a code of its own.
    /^(HPE_\w+|NoS3Answer|Unknown|XML parse error)$/,
    (asked) =>
      `it does not look like the answer of an S3 server. See that endpoint names the port of its S3 interface${orTls(asked)}`,
  ],
  [/^Changed$/, () => "let nothing write to it"],
  [/^ENOENT$/, () => "the file is gone"],
  [
    /^CredentialsProviderError$/,
    () =>
      "no key was found. Set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  ],
];

/** Codes whose words say more than what is made of them here. */
const TELLING =
  /^(Changed|CredentialsProviderError|CertificateFile|ERR_TLS_CERT_ALTNAME_INVALID|NoS3Answer)$/;

/**
 * Names for a fault: the server's, the connection's, OpenSSL's reason, the answer's status.
 *
 * @param {any} cause @param {number | undefined} status @returns {string[]}
 */
function codesOf(cause, status) {
  // What is no XML at all has neither a name nor a code.
  const noXml = /XML parse error/.exec(cause.message ?? "")?.[0];
  // A server in trouble, or what stands before it, answers with a page too.
  const name = cause.name === "Unknown" && (status ?? 0) >= 500 ? "" : cause.name;
  const names = [name, cause.Code, cause.code, tlsReason(cause.message), noXml, status];
  return names.filter(Boolean).map(String);
}

/**
 * Why a call failed and what to do, in one line. The server's own words come along only where they name no key.
 *
 * @param {any} fault
 * @param {Operation} operation
 * @param {{ maxAttempts?: number, server?: import("./s3-client.cjs").Server }} asked
 */
function whyRefused(fault, operation, { maxAttempts, server }) {
  // Node tries each address of a name and gathers what each said.
  const cause = fault.errors?.[0] ?? fault;
  const codes = codesOf(cause, fault.$metadata?.httpStatusCode);
  const [, remedy] = REMEDIES.find(([known]) => codes.some((code) => known.test(code))) ?? [];
  const found = codes.filter((code) => !/^(Error|AggregateError|Unknown)$/.test(code)).slice(0, 2);
  const words = remedy && !codes.some((code) => TELLING.test(code)) ? "" : `${oneLine(cause.message)} `;
  const tries =
    fault.$metadata?.attempts > 1 ? ` after ${fault.$metadata.attempts} of ${maxAttempts} tries` : "";
  const endpoint = server?.endpoints?.[0]?.s3 ?? "";
  const next = remedy ? `${remedy({ operation, endpoint })}. Then run the same again` : "run the same again";
  return `${words}(${[...new Set(found)].join(", ")}${tries}): ${next}`;
}

/** @param {string | undefined} text */
const oneLine = (text) => (text ?? "").trim().split(/\s+/).join(" ");

module.exports = { whyRefused };
