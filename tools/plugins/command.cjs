// Stands in for Pulumi's `command` plugin where that one cannot be downloaded. Only `local.Command`, without assets.
const { spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const { serve } = require("./server.cjs");
const { UNKNOWN, secret, plain, hasSecret, hasUnknown } = require("./values.cjs");
const { version } = require("./versions.json").command;

/** @typedef {import("./values.cjs").Properties} Properties */

const INPUTS = [
  "create",
  "update",
  "delete",
  "stdin",
  "logging",
  "interpreter",
  "dir",
  "environment",
  "addPreviousOutputInEnv",
  "triggers",
];
const UNSUPPORTED = ["assetPaths", "archivePaths"];
const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** @param {string} text */
const withoutLastNewline = (text) => text.replace(/\n$/, "");

/** What a failed command is reported with: as Go's os/exec words it. @param {number | null} code @param {string | null} signal */
const ending = (code, signal) =>
  signal ? `signal: ${signal === "SIGKILL" ? "killed" : signal}` : `exit status ${code}`;

/**
 * Runs one command to its end.
 * @param {import("./server.cjs").Call} call @param {string} command @param {Properties} inputs
 * @param {{ stdout?: string, stderr?: string }} previous
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
function execute(call, command, inputs, previous) {
  const [program, ...args] = [
    ...(inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"]),
    command,
  ];
  const logging = inputs.logging ?? "stdoutAndStderr";
  const environment = { ...process.env, ...inputs.environment };
  if (inputs.addPreviousOutputInEnv ?? true) {
    if (previous.stdout) environment.PULUMI_COMMAND_STDOUT = previous.stdout;
    if (previous.stderr) environment.PULUMI_COMMAND_STDERR = previous.stderr;
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: inputs.dir,
      env: environment,
      stdio: [inputs.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    });
    const stop = () => child.kill("SIGKILL");
    if (call.signal.aborted) stop();
    call.signal.addEventListener("abort", stop);
    /** @type {Record<"stdout" | "stderr" | "both", Buffer[]>} */
    const printed = { stdout: [], stderr: [], both: [] };
    for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
      const logged = logging === stream || logging === "stdoutAndStderr";
      let unfinished = "";
      child[stream]?.on("data", (chunk) => {
        printed[stream].push(chunk);
        printed.both.push(chunk);
        if (!logged) return;
        const lines = (unfinished + chunk).split("\n");
        unfinished = lines.pop() ?? "";
        lines.forEach(call.log);
      });
      child[stream]?.on("end", () => unfinished && call.log(unfinished));
    }
    // A command need not read what it is given.
    child.stdin?.on("error", () => {});
    child.stdin?.end(inputs.stdin);
    child.on("error", (fault) =>
      reject(new Error(`${fault.message}: running ${JSON.stringify(command)}:\n`)),
    );
    child.on("close", (code, signal) => {
      call.signal.removeEventListener("abort", stop);
      if (code !== 0) {
        return reject(
          new Error(
            `${ending(code, signal)}: running ${JSON.stringify(command)}:\n${Buffer.concat(printed.both)}`,
          ),
        );
      }
      resolve({
        stdout: withoutLastNewline(Buffer.concat(printed.stdout).toString()),
        stderr: withoutLastNewline(Buffer.concat(printed.stderr).toString()),
      });
    });
  });
}

/** The state: the inputs as they are, and what was printed, secret when any input is. @param {Properties} inputs @param {Properties} printed */
function state(inputs, printed) {
  const hide = hasSecret(inputs) ? secret : (/** @type {any} */ value) => value;
  return { ...inputs, stdout: hide(printed.stdout ?? ""), stderr: hide(printed.stderr ?? "") };
}

const notYetKnown = { stdout: UNKNOWN, stderr: UNKNOWN };

serve({
  name: "command",
  version,
  resources: {
    "command:local:Command": {
      replacedBy: ["triggers"],
      check(inputs) {
        /** @type {Record<string, string>} */
        const faults = {};
        for (const key of Object.keys(inputs)) {
          if (UNSUPPORTED.includes(key))
            faults[key] = "the stand-in for the command plugin has no assets; print a manifest instead";
          else if (!INPUTS.includes(key)) faults[key] = "an unrecognized property name";
        }
        const logging = plain(inputs.logging);
        if (logging !== undefined && !hasUnknown(logging) && !LOGGING.includes(logging))
          faults.logging = `none of ${LOGGING.join(", ")}`;
        return faults;
      },
      async create(call, inputs) {
        const id = `${call.name}${randomBytes(4).toString("hex")}`;
        if (call.preview) return { id, outputs: state(inputs, notYetKnown) };
        const known = plain(inputs);
        return {
          id,
          outputs: state(inputs, known.create ? await execute(call, known.create, known, {}) : {}),
        };
      },
      async update(call, inputs, old) {
        if (call.preview) return state(inputs, notYetKnown);
        const known = plain(inputs);
        const previous = plain(old);
        const command = known.update ?? known.create;
        return state(inputs, command ? await execute(call, command, known, previous) : previous);
      },
      async delete(call, current) {
        const known = plain(current);
        if (known.delete) await execute(call, known.delete, known, known);
      },
    },
  },
});
