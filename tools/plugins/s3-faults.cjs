// What a failed call to an S3-compatible server means, and what to do about it.

const { namesProxy } = require("../proxies.cjs");

/** @typedef {"write" | "read" | "delete"} Operation */

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

/** What to do, by the code that the server or the connection gave. @type {[code: RegExp, what: (operation: Operation) => string][]} */
const REMEDIES = [
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|AuthorizationHeaderMalformed)$/,
    () =>
      "the server does not take this key. See that access and secret key belong to this endpoint, and the region is right",
  ],
  [
    /^(AccessDenied|Forbidden|403)$/,
    (operation) => `the key may not do this. Give it leave to ${LEAVE[operation]}`,
  ],
  [
    /^(NoSuchBucket|NotFound)$/,
    (operation) =>
      `there is no such bucket. ${operation === "write" ? "Make it, private, or set bucket to one that is there" : "See that its name is right"}`,
  ],
  [/^NoSuchKey$/, () => "there is no such object. See that its name is right"],
  [/^RequestTimeTooSkewed$/, () => "this machine's clock and the server's differ too much. Set the clock"],
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
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    () =>
      "this machine does not trust who signed the server's certificate. Let NODE_EXTRA_CA_CERTS name a file with its authority's",
  ],
  [
    /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID)$/,
    () => "its certificate is for another name or time. See that endpoint and this machine's clock are right",
  ],
  [
    /^(TimeoutError|ETIMEDOUT|ECONNRESET|EPIPE|RequestTimeout)$/,
    () => "the connection stalled or broke off, at each try. See that the server and the network are up",
  ],
  [/^Changed$/, () => "let nothing write to it"],
  [/^ENOENT$/, () => "the file is gone"],
  [
    /^CredentialsProviderError$/,
    () =>
      "no key was found. Set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  ],
];

/**
 * Why a call failed and what to do, in one line. The server's own words come along only where they name no key.
 *
 * @param {any} fault @param {Operation} operation @param {{ maxAttempts?: number }} provider
 */
function whyRefused(fault, operation, { maxAttempts }) {
  // Node tries each address of a name and gathers what each said.
  const cause = fault.errors?.[0] ?? fault;
  const status = fault.$metadata?.httpStatusCode;
  const codes = [cause.name, cause.Code, cause.code, String(status ?? "")].filter(Boolean).map(String);
  const [, remedy] = REMEDIES.find(([known]) => codes.some((code) => known.test(code))) ?? [];
  const found = codes.filter((code) => !/^(Error|AggregateError)$/.test(code)).slice(0, 2);
  const tellsMore = codes.some((code) => /^(Changed|CredentialsProviderError)$/.test(code));
  const words = remedy && !tellsMore ? "" : `${cause.message} `;
  const tries =
    fault.$metadata?.attempts > 1 ? ` after ${fault.$metadata.attempts} of ${maxAttempts} tries` : "";
  const next = remedy ? `${remedy(operation)}. Then run the same again` : "run the same again";
  return `${words}(${[...new Set(found)].join(", ")}${tries}): ${next}`;
}

module.exports = { whyRefused };
