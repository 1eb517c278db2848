// node tests/plugins/upload-once.cjs ORIGIN [BYTES]: uploads something; on stdout, what is said when that fails. A process of its own,
// since the SDK takes an error of jest's own world for none.
const { makeClient } = require("../../tools/plugins/s3-client.cjs");
const { whyRefused } = require("../../tools/plugins/s3-faults.cjs");
const { upload } = require("../../tools/plugins/s3-upload.cjs");

const [origin, bytes = "1"] = process.argv.slice(2);
const server = { region: "us-east-1", endpoints: [{ s3: origin }], s3UsePathStyle: true, maxRetries: 1 };
const object = { bucket: "images", key: "x", content: "x".repeat(Number(bytes)) };
const call = { signal: new AbortController().signal, log: () => Promise.resolve() };

makeClient(server)
  .then((client) => upload(client, object, call))
  .then(
    () => process.exit(0),
    (fault) => {
      process.stdout.write(whyRefused(fault, "write", { maxAttempts: 1, server }));
      process.exitCode = 1;
    },
  );
