"use strict";

/** @typedef {Record<string, string | undefined>} Env */

const LOOPBACK = ["127.0.0.1", "localhost"];

/** @param {string | undefined} list */
const entries = (list) => (list ?? "").split(/[\s,]+/).filter(Boolean);

/**
 * The variables that keep from a proxy what this machine says to itself: Pulumi's engine, its plugins and this program
 * talk by gRPC on loopback, which grpc-js sends to https_proxy like all else.
 *
 * @param {Env} env
 * @returns {Env}
 */
function directLoopback(env) {
  const grpc = [...new Set([...entries(env.no_grpc_proxy), ...LOOPBACK])].join(",");
  const held = entries(env.no_proxy || env.NO_PROXY);
  // A list of more than the star alone has no star for curl.
  if (held.includes("*")) return { no_grpc_proxy: grpc };
  const list = [...new Set([...held, ...LOOPBACK])].join(",");
  return { no_grpc_proxy: grpc, no_proxy: list, NO_PROXY: list };
}

/**
 * Whether the environment names any proxy.
 *
 * @param {Env} env
 */
const namesProxy = (env) =>
  ["http_proxy", "https_proxy", "all_proxy"].some((name) => env[name] || env[name.toUpperCase()]);

module.exports = { directLoopback, namesProxy };
