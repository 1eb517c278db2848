// Stands in for Pulumi's `command` plugin where that one cannot be downloaded. Only `local.Command`, without assets.
const { spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const { statSync } = require("node:fs");
const { isDeepStrictEqual } = require("node:util");
const { serve } = require("./server.cjs");
const { UNKNOWN, isObject, plain } = require("./values.cjs");
const { version } = require("./versions.json").command;

/** @typedef {import("./values.cjs").Properties} Properties */

const isText = (/** @type {any} */ value) => typeof value === "string";
const isList = (/** @type {any} */ value) => value === UNKNOWN || Array.isArray(value);

/** What each input must be. @type {Record<string, [name: string, holds: (value: any) => boolean]>} */
const INPUTS = {
  create: ["a string", isText],
  update: ["a string", isText],
  delete: ["a string", isText],
  stdin: ["a string", isText],
  logging: ["a string", isText],
  dir: ["a string", isText],
  interpreter: ["a list of strings", (value) => isList(value) && (value === UNKNOWN || value.every(isText))],
  environment: [
    "a map of strings",
    (value) =>
      value === UNKNOWN || (isObject(value) && !Array.isArray(value) && Object.values(value).every(isText)),
  ],
  addPreviousOutputInEnv: ["a boolean", (value) => value === UNKNOWN || typeof value === "boolean"],
  triggers: ["a list", isList],
};
const UNSUPPORTED = ["assetPaths", "archivePaths"];

/** @param {string} text */
const withoutLastNewline = (text) => text.replace(/\n$/, "");

/** As Go words them. @type {Record<string, string>} */
const SIGNALS = { SIGHUP: "hangup", SIGINT: "interrupt", SIGKILL: "killed", SIGTERM: "terminated" };

/** What a failed command is reported with: as Go's os/exec words it. @param {number | null} code @param {string | null} signal */
const ending = (code, signal) => (signal ? `signal: ${SIGNALS[signal] ?? signal}` : `exit status ${code}`);

/** @param {string} what @param {string} command @param {string} [printed] */
const failure = (what, command, printed = "") =>
  new Error(`${what}: running ${JSON.stringify(command)}:\n${printed}`);

/** @param {NodeJS.ErrnoException} fault @param {string} program @param {string | undefined} dir */
function whyNotStarted(fault, program, dir) {
  // Node reports a missing folder as a missing program.
  if (dir !== undefined && !statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    return `chdir ${dir}: no such file or directory`;
  if (fault.code === "ENOENT") return `exec: "${program}": executable file not found in $PATH`;
  return fault.message;
}

/**
 * Runs one command to its end.
 * @param {import("./server.cjs").Call} call @param {string} command @param {Properties} inputs
 * @param {{ stdout?: string, stderr?: string }} previous
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
async function execute(call, command, inputs, previous) {
  if (call.signal.aborted) throw failure("context canceled", command);
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
  const printed = { stdout: "", stderr: "", both: "" };
  let shown = Promise.resolve();
  /** One line after the other, so that they arrive in their order. @param {string} line */
  const show = (line) => {
    shown = shown.then(() => call.log(line.replace(/\r$/, "")));
  };
  try {
    const { code, signal } = await new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: inputs.dir,
        env: environment,
        stdio: [inputs.stdin ? "pipe" : "ignore", "pipe", "pipe"],
      });
      const stop = () => child.kill("SIGKILL");
      call.signal.addEventListener("abort", stop);
      for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
        const logged = logging === stream || logging === "stdoutAndStderr";
        let unfinished = "";
        child[stream]?.setEncoding("utf8").on("data", (text) => {
          printed[stream] += text;
          printed.both += text;
          if (!logged) return;
          const lines = (unfinished + text).split("\n");
          unfinished = lines.pop() ?? "";
          lines.forEach(show);
        });
        child[stream]?.on("end", () => unfinished && show(unfinished));
      }
      // A command need not read what it is given.
      child.stdin?.on("error", () => {});
      child.stdin?.end(inputs.stdin);
      child.on("error", reject);
      child.on("close", (code, signal) => {
        call.signal.removeEventListener("abort", stop);
        resolve({ code, signal });
      });
    });
    if (code !== 0) throw failure(ending(code, signal), command, printed.both);
  } catch (fault) {
    const error = /** @type {NodeJS.ErrnoException} */ (fault);
    throw error.syscall ? failure(whyNotStarted(error, program, inputs.dir), command) : error;
  } finally {
    await shown;
  }
  return { stdout: withoutLastNewline(printed.stdout), stderr: withoutLastNewline(printed.stderr) };
}

/** The state: the inputs as they are, and what was printed. No input makes that secret. @param {Properties} inputs @param {Properties} printed */
const state = (inputs, { stdout = "", stderr = "" }) => ({ ...inputs, stdout, stderr });

const notYetKnown = { stdout: UNKNOWN, stderr: UNKNOWN };

/** Whether a preview takes the output as new. An input that the old state lacks does not count. @param {Properties} inputs @param {Properties} old */
const isNew = (inputs, old) =>
  Object.keys(INPUTS).some(
    (key) => plain(inputs[key]) === UNKNOWN || (key in old && !isDeepStrictEqual(inputs[key], old[key])),
  );

serve({
  name: "command",
  version,
  resources: {
    "command:local:Command": {
      // An item of it that changes is an update here: it is the SDK that asks the engine to replace then.
      replacedBy: ["triggers"],
      check(inputs) {
        /** @type {Record<string, string>} */
        const faults = {};
        for (const [key, value] of Object.entries(plain(inputs))) {
          const [type, holds] = INPUTS[key] ?? [];
          if (UNSUPPORTED.includes(key))
            faults[key] = "the stand-in for the command plugin has no assets; print a manifest instead";
          else if (!holds) faults[key] = `Unrecognized field '${key}'`;
          else if (!holds(value)) faults[key] = `Field '${key}' must be ${type}`;
        }
        return faults;
      },
      async create(call, inputs) {
        const id = `${call.name}${randomBytes(4).toString("hex")}`;
        if (call.preview) return { id, outputs: state(inputs, notYetKnown) };
        const known = plain(inputs);
        const printed = known.create === undefined ? {} : await execute(call, known.create, known, {});
        return { id, outputs: state(inputs, printed) };
      },
      async update(call, inputs, old) {
        const previous = plain(old);
        if (call.preview) return state(inputs, isNew(inputs, old) ? notYetKnown : previous);
        const known = plain(inputs);
        const command = known.update ?? known.create;
        return state(
          inputs,
          command === undefined ? previous : await execute(call, command, known, previous),
        );
      },
      async delete(call, current) {
        const known = plain(current);
        if (known.delete !== undefined) await execute(call, known.delete, known, known);
      },
    },
  },
});
