// Stands in for Pulumi's `aws` plugin where that one cannot be downloaded. Only `s3.BucketObjectv2`.
const { createReadStream, statSync } = require("node:fs");
const { whyRefused } = require("./s3-faults.cjs");
const { serve } = require("./server.cjs");
const { plain } = require("./values.cjs");
const { version } = require("./versions.json").aws;

/** @typedef {import("./values.cjs").Properties} Properties */
/** @typedef {import("./server.cjs").Call} Call */

const MIB = 1 << 20;
/** S3 takes 10 000 parts at most (Amazon S3 User Guide, "Multipart upload limits"): 160 GB of this size. */
const PART_BYTES = 16 * MIB;
/** The SDK waits longer after each try, 20 s at most: some 40 s in all for a server that starts again. */
const TRIES = 12;
const CONNECT_MS = 10_000;
/** A slow server may take as long as it likes, but not say nothing for so long. */
const SILENCE_MS = 60_000;
const REPORT_MS = 1000;

// The SDK takes half a second to load, and most runs ask nothing of it.
const s3 = () => require("@aws-sdk/client-s3");

/** @type {{ client: import("@aws-sdk/client-s3").S3Client, where: string } | undefined} */
let server;

/** @param {Properties} config of an `aws.Provider`, in which all but text travels as JSON */
function configure(config) {
  /** @type {Properties} */
  const given = Object.fromEntries(
    Object.entries(plain(config)).map(([key, value]) => [
      key,
      /^([[{]|true$|false$)/.test(String(value)) && typeof value === "string" ? JSON.parse(value) : value,
    ]),
  );
  const { region, profile, sharedConfigFiles: [configFile] = [], s3UsePathStyle: forcePathStyle } = given;
  const endpoint = given.endpoints?.[0]?.s3;
  if (configFile) process.env.AWS_CONFIG_FILE = configFile;
  const tries = given.maxRetries ?? TRIES;
  server = {
    where: endpoint ?? `S3 in ${region}`,
    client: new (s3().S3Client)({
      region,
      endpoint,
      forcePathStyle,
      profile,
      maxAttempts: tries,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    }),
  };
}

/** @param {string} doing @param {Properties} inputs @param {(client: import("@aws-sdk/client-s3").S3Client) => Promise<any>} work */
async function asking(doing, { bucket, key }, work) {
  if (!server) throw new Error("the aws stand-in was not configured");
  const { client, where } = server;
  try {
    return await work(client);
  } catch (fault) {
    const maxAttempts = await client.config.maxAttempts();
    throw new Error(`${doing} s3://${bucket}/${key} at ${where}: ${whyRefused(fault, { maxAttempts })}`);
  }
}

/** @param {Properties} inputs @returns {{ body: import("node:stream").Readable | string, total: number }} */
function contentOf({ source, content }) {
  if (source?.path) return { body: createReadStream(source.path), total: statSync(source.path).size };
  const body = source?.text ?? content ?? "";
  return { body, total: Buffer.byteLength(body) };
}

/** @param {Call} call @param {Properties} given @returns {Promise<Properties>} the outputs */
async function put(call, given) {
  if (call.preview) return given;
  const inputs = plain(given);
  const answer = await asking("uploading", inputs, async (client) => {
    const { body, total } = contentOf(inputs);
    const { bucket, key, contentType } = inputs;
    const { Upload } = require("@aws-sdk/lib-storage");
    const upload = new Upload({
      client,
      params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType },
      partSize: PART_BYTES,
    });
    let said = Date.now();
    upload.on("httpUploadProgress", ({ loaded = 0 }) => {
      if (Date.now() - said < REPORT_MS) return;
      said = Date.now();
      const percent = Math.floor((100 * loaded) / total);
      void call.log(`${key}: ${Math.round(loaded / MIB)} of ${Math.round(total / MIB)} MiB, ${percent} %`);
    });
    const stop = () => void upload.abort();
    call.signal.addEventListener("abort", stop, { once: true });
    try {
      return await upload.done();
    } finally {
      call.signal.removeEventListener("abort", stop);
    }
  });
  return { ...given, etag: String(answer.ETag ?? "").replaceAll('"', "") };
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
      async delete(_call, state) {
        const { bucket, key } = plain(state);
        await asking("deleting", { bucket, key }, (client) =>
          client.send(new (s3().DeleteObjectCommand)({ Bucket: bucket, Key: key })),
        );
      },
      exists(_call, state) {
        const { bucket, key } = plain(state);
        return asking("looking for", { bucket, key }, (client) =>
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
