// What a connection by TLS failed at, and what to do about it.

const { existsSync } = require("node:fs");

/** @typedef {import("./s3-faults.cjs").Asked} Asked */

/**
 * OpenSSL's reason, which Node has in the message of an error whose code is EPROTO alone.
 *
 * @param {string | undefined} message
 */
const tlsReason = (message) => /error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/.exec(message ?? "")?.[1];

/** Which kind of address to try instead: a server of the other kind ends the connection, or answers what nobody can read. */
const orTls = (/** @type {Asked} */ { endpoint }) =>
  endpoint.startsWith("http:")
    ? `. If the server speaks https, write endpoint as https://${hostOf(endpoint)}`
    : "";

/** @param {string} endpoint */
const hostOf = (endpoint) => endpoint.replace(/^https?:\/\//, "");

/** Node says that a file of this variable is not there once, before anything else, and goes on without. */
function unreadableExtra() {
  const { NODE_EXTRA_CA_CERTS: extra } = process.env;
  return extra && !existsSync(extra) ? ` (NODE_EXTRA_CA_CERTS is ${extra}, and there is no such file)` : "";
}

const now = () => new Date().toISOString().replace(/\..*/, "Z");

/** As the rows of `REMEDIES` (s3-faults.cjs). @type {[code: RegExp, what: (asked: Asked) => string][]} */
const TLS_REMEDIES = [
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED)$/,
    () =>
      `this machine does not trust who signed the server's certificate. Let AWS_CA_BUNDLE name a file with its authority's${unreadableExtra()}`,
  ],
  [/^CertificateFile$/, () => "name a file with the authority's certificate, as PEM"],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    () => "its certificate is for another name. Write endpoint with a name that its certificate has",
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    () =>
      `its certificate is not valid at ${now()}, which is this machine's time. Set the clock if that is wrong; else the server needs a new certificate`,
  ],
  [
    /^(wrong version number|packet length too long|http request|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    ({ endpoint }) =>
      `what answers there speaks no TLS. If the server speaks http alone, write endpoint as http://${hostOf(endpoint)}; else see that the port is right`,
  ],
  [
    /^(tlsv1 alert protocol version|unsupported protocol|ERR_SSL_(TLSV1_ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL))$/,
    () => "the server speaks no TLS that is new enough. It needs TLS 1.2 or newer",
  ],
  [
    /^(tlsv13 alert certificate required|sslv3 alert handshake failure|ERR_SSL_(TLSV13_ALERT_CERTIFICATE_REQUIRED|SSLV3_ALERT_HANDSHAKE_FAILURE))$/,
    () =>
      "the server ends the handshake, as one that wants a certificate of its clients: none is sent from here. Name an endpoint that wants none",
  ],
];

module.exports = { orTls, tlsReason, TLS_REMEDIES };
