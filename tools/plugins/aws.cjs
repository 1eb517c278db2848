// Stands in for Pulumi's `aws` plugin where that one cannot be downloaded. Only `s3.BucketObjectv2`.
const { makeClient, nameOf } = require("./s3-client.cjs");
const { whyRefused } = require("./s3-faults.cjs");
const { upload } = require("./s3-upload.cjs");
const { serve } = require("./server.cjs");
const { plain } = require("./values.cjs");
const { version } = require("./versions.json").aws;

/** @typedef {import("./values.cjs").Properties} Properties */
/** @typedef {import("./server.cjs").Call} Call */
/** @typedef {import("./s3-faults.cjs").Operation} Operation */
/** @typedef {import("@aws-sdk/client-s3").S3Client} S3Client */

// Loaded late, as the client is.
const s3 = () => require("@aws-sdk/client-s3");

/** @type {import("./s3-client.cjs").Server | undefined} */
let server;

/** @param {Properties} config of an `aws.Provider`, in which all but text travels as JSON */
function configure(config) {
  server = Object.fromEntries(
    Object.entries(plain(config)).map(([key, value]) => [
      key,
      /^([[{]|true$|false$)/.test(String(value)) && typeof value === "string" ? JSON.parse(value) : value,
    ]),
  );
}

/**
 * Does work with a client of its own.
 *
 * @template T
 * @param {Call} call
 * @param {string} doing
 * @param {Operation} operation
 * @param {Properties} inputs
 * @param {(client: S3Client) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function asking({ signal }, doing, operation, { bucket, key }, work) {
  if (!server) throw new Error("the aws stand-in was not configured");
  const what = `${doing} s3://${bucket}/${key} at ${nameOf(server)}`;
  /** @type {S3Client | undefined} */
  let client;
  try {
    client = await makeClient(server);
    return await work(client);
  } catch (fault) {
    if (signal.aborted) throw new Error(`${what}: it was stopped. Run the same again`);
    const maxAttempts = await client?.config.maxAttempts();
    throw new Error(`${what}: ${whyRefused(fault, operation, { maxAttempts, server })}`);
  } finally {
    client?.destroy();
  }
}

/** @param {Call} call @param {Properties} given @returns {Promise<Properties>} the outputs */
async function put(call, given) {
  if (call.preview) return given;
  const inputs = plain(given);
  const etag = await asking(call, "uploading", "write", inputs, (client) => upload(client, inputs, call));
  return { ...given, etag };
}

serve({
  name: "aws",
  version,
  configure,
  resources: {
    "aws:s3/bucketObjectv2:BucketObjectv2": {
      replacedBy: ["bucket", "key"],
      check(inputs) {
        /** @type {Record<string, string>} */
        const faults = {};
        for (const name of ["bucket", "key"])
          if (!inputs[name]) faults[name] = `Missing required property '${name}'`;
        return faults;
      },
      async create(call, inputs) {
        return { id: String(plain(inputs.key)), outputs: await put(call, inputs) };
      },
      update: put,
      async delete(call, state) {
        const { bucket, key } = plain(state);
        await asking(call, "deleting", "delete", { bucket, key }, (client) =>
          client.send(new (s3().DeleteObjectCommand)({ Bucket: bucket, Key: key })),
        );
      },
      exists(call, state) {
        const { bucket, key } = plain(state);
        return asking(call, "looking for", "read", { bucket, key }, (client) =>
          client.send(new (s3().HeadObjectCommand)({ Bucket: bucket, Key: key })).then(
            () => true,
            (fault) => {
              if (fault.name === "NotFound") return false;
              throw fault;
            },
          ),
        );
      },
    },
  },
});
