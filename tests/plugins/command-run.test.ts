import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Plugin, secret, type Line, type Properties } from "./plugin-client";

// What the `command` plugin does when it runs a command: the stand-in and the real one alike.
let plugin: Plugin;
let folder: string;
beforeAll(async () => {
  plugin = await Plugin.start("command", "command:local:Command");
  folder = realpathSync(mkdtempSync(join(tmpdir(), "plugin-test-")));
});
afterAll(async () => {
  await plugin.stop();
  rmSync(folder, { recursive: true });
});

/** What a command of those inputs prints. */
async function printed(inputs: Properties) {
  const { stdout, stderr } = (await plugin.create(inputs)).state;
  return { stdout, stderr };
}

/** The state of a resource that was made with those inputs. */
const made = (inputs: Properties): Properties => ({ ...inputs, stdout: "out", stderr: "err" });

const PREVIOUS = 'echo "${PULUMI_COMMAND_STDOUT-unset} ${PULUMI_COMMAND_STDERR-unset}"';

describe("create", () => {
  test("gives the resource a new name each time, after its own name", async () => {
    const ids = [(await plugin.create({ create: "true" })).id, (await plugin.create({ create: "true" })).id];
    expect(ids).toEqual([
      expect.stringMatching(/^subject[0-9a-f]{8}$/),
      expect.stringMatching(/^subject[0-9a-f]{8}$/),
    ]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test("keeps its inputs, and stdout and stderr apart, each without its last newline", async () => {
    const inputs = { create: "printf ' out\\n\\n'; echo err >&2", environment: { LEVEL: "1" } };
    const { state } = await plugin.create(inputs);
    expect(state).toEqual({ ...inputs, stdout: " out\n", stderr: "err" });
  });

  test("runs nothing without a command", async () => {
    expect(await printed({ update: "echo no", delete: "echo no" })).toEqual({ stdout: "", stderr: "" });
  });

  test.each(["key: ü\n", ""])("gives the command its stdin: %j", async (stdin) => {
    expect((await printed({ create: "wc -c", stdin })).stdout).toBe(String(Buffer.byteLength(stdin)));
  });

  test("gives an empty stdin when there is none", async () => {
    expect((await printed({ create: "wc -c" })).stdout).toBe("0");
  });

  test("does not mind a command that leaves its stdin unread", async () => {
    const stdin = "x".repeat(1 << 20);
    expect((await printed({ create: "exec <&-; echo done", stdin })).stdout).toBe("done");
  });

  test("adds variables to its own environment", async () => {
    const create = 'echo "$PATH $HOME"';
    expect((await printed({ create, environment: { HOME: "/nowhere" } })).stdout).toBe(
      `${process.env.PATH} /nowhere`,
    );
  });

  test("runs in the folder given, else in its own", async () => {
    expect((await printed({ create: "pwd -P", dir: folder })).stdout).toBe(folder);
    expect((await printed({ create: "pwd -P" })).stdout).toBe(realpathSync(process.cwd()));
  });

  test("appends the command to the interpreter", async () => {
    expect((await printed({ create: "echo $0", interpreter: ["printf", "%s|", "a"] })).stdout).toBe(
      "a|echo $0|",
    );
  });

  test("runs in a shell without an interpreter", async () => {
    expect((await printed({ create: "echo $((1 + 1))", interpreter: [] })).stdout).toBe("2");
  });

  test("takes one long line whole when it is not logged", async () => {
    const create = "head -c 200000 /dev/zero | tr '\\0' x";
    expect((await printed({ create, logging: "none" })).stdout).toBe("x".repeat(200_000));
  });

  test("gives no previous output", async () => {
    expect((await printed({ create: PREVIOUS })).stdout).toBe("unset unset");
  });
});

describe("update", () => {
  const old = { create: "echo create" };

  test("runs the update command", async () => {
    const inputs = { ...old, update: "echo update" };
    expect(await plugin.update(made(old), old, inputs)).toEqual({ ...inputs, stdout: "update", stderr: "" });
  });

  test("runs the create command when there is none for updates", async () => {
    const inputs = { create: "echo create", stdin: "new" };
    expect(await plugin.update(made(old), old, inputs)).toEqual({ ...inputs, stdout: "create", stderr: "" });
  });

  test("keeps the output when there is no command at all", async () => {
    expect(await plugin.update(made(old), old, { delete: "true" })).toEqual(made({ delete: "true" }));
  });

  test("gives the previous output in the environment", async () => {
    const { stdout } = await plugin.update(made(old), old, { create: PREVIOUS });
    expect(stdout).toBe("out err");
  });

  test("sets no variable for an empty previous output", async () => {
    const state = { ...old, stdout: "out", stderr: "" };
    expect((await plugin.update(state, old, { create: PREVIOUS })).stdout).toBe("out unset");
  });

  test("gives no previous output when the inputs say so", async () => {
    const inputs = { create: PREVIOUS, addPreviousOutputInEnv: false };
    expect((await plugin.update(made(old), old, inputs)).stdout).toBe("unset unset");
  });
});

describe("delete", () => {
  test("runs the delete command, with the same inputs and the previous output", async () => {
    const inputs = {
      create: "exit 1",
      delete: `{ cat; pwd -P; echo "$LEVEL"; ${PREVIOUS}; } > deleted`,
      stdin: "input\n",
      dir: folder,
      environment: { LEVEL: "1" },
    };
    await plugin.delete(made(inputs), inputs);
    expect(readFileSync(join(folder, "deleted"), "utf8")).toBe(`input\n${folder}\n1\nout err\n`);
  });

  test("gives no previous output when the inputs say so", async () => {
    const inputs = { delete: `${PREVIOUS} > told`, dir: folder, addPreviousOutputInEnv: false };
    await plugin.delete(made(inputs), inputs);
    expect(readFileSync(join(folder, "told"), "utf8")).toBe("unset unset\n");
  });

  test("runs nothing without a command for it", async () => {
    const inputs = { create: "exit 1", update: "exit 1" };
    await expect(plugin.delete(made(inputs), inputs)).resolves.toBeUndefined();
  });

  test("fails when the command does", async () => {
    const inputs = { delete: "echo busy; exit 4" };
    await expect(plugin.delete(made(inputs), inputs)).rejects.toThrow(/^exit status 4: .*\nbusy\n$/s);
  });
});

test("a refresh finds what the state says", async () => {
  const inputs = { create: "exit 1" };
  expect(await plugin.read(made(inputs), inputs)).toEqual({ state: made(inputs), inputs });
});

describe("secrets", () => {
  const inputs = { create: 'cat; echo "$KEY"', stdin: secret("a"), environment: { KEY: secret("b") } };

  test("reach the command plain and stay secret among the inputs", async () => {
    expect((await plugin.create(inputs)).state).toMatchObject({ ...inputs, stdout: "ab" });
  });

  // So a program that prints a secret has to name its output in `additionalSecretOutputs`.
  test("do not make the output secret", async () => {
    const { stdout, stderr } = (await plugin.create(inputs)).state;
    expect({ stdout, stderr }).toEqual({ stdout: "ab", stderr: "" });
    expect((await plugin.update(made({}), {}, inputs)).stdout).toBe("ab");
  });
});

describe("logging", () => {
  /** The lines that were shown by the time of the answer. */
  async function linesOf(inputs: Properties): Promise<Line[]> {
    const lines: Line[] = [];
    const keep = (line: Line) => lines.push(line);
    plugin.shown.on("line", keep);
    await plugin.create(inputs).finally(() => plugin.shown.off("line", keep));
    return lines;
  }
  const messagesOf = async (inputs: Properties) => (await linesOf(inputs)).map(({ message }) => message);
  const create = "echo out; echo err >&2";

  test.each<[logging: string | undefined, messages: string[]]>([
    ["stdout", ["out"]],
    ["stderr", ["err"]],
    ["stdoutAndStderr", ["err", "out"]],
    ["none", []],
    [undefined, ["err", "out"]],
  ])("%s shows %j", async (logging, messages) => {
    expect((await messagesOf({ create, ...(logging && { logging }) })).sort()).toEqual(messages);
  });

  test("leaves out of the log, not out of the state", async () => {
    expect(await printed({ create, logging: "none" })).toEqual({ stdout: "out", stderr: "err" });
  });

  test("is for the resource while it is worked on", async () => {
    expect(await linesOf({ create, logging: "stderr" })).toEqual([
      { severity: "INFO", urn: plugin.urn, message: "err", passing: true },
    ]);
  });

  test("goes line by line, the last one without a newline too", async () => {
    expect(await messagesOf({ create: "printf 'a\\r\\n\\nb'" })).toEqual(["a", "", "b"]);
  });

  test("shows many lines in their order, each character whole", async () => {
    // A program that writes in blocks, whose ends fall within characters.
    const create = "seq 0 2999 | sed 's/$/ ääääääääääääääääääääääää/'";
    expect(await messagesOf({ create })).toEqual(
      Array.from({ length: 3000 }, (_, number) => `${number} ${"ä".repeat(24)}`),
    );
  });

  test("shows what a failed command said", async () => {
    const lines: string[] = [];
    const keep = ({ message }: Line) => lines.push(message);
    plugin.shown.on("line", keep);
    await expect(plugin.create({ create: "echo why >&2; exit 1" })).rejects.toThrow(/^exit status 1/);
    plugin.shown.off("line", keep);
    expect(lines).toEqual(["why"]);
  });
});

describe("failure", () => {
  const reasonOf = (inputs: Properties) =>
    plugin.create(inputs).then(
      () => "",
      (fault: Error) => fault.message,
    );

  test("tells the exit status, the command and both streams, whatever is logged", async () => {
    const create = 'echo out; echo "err" >&2; exit 3';
    const [first, ...rest] = (await reasonOf({ create, logging: "none" })).split("\n");
    expect(first).toBe('exit status 3: running "echo out; echo \\"err\\" >&2; exit 3":');
    expect(rest.sort()).toEqual(["", "err", "out"]);
  });

  test.each([
    ["TERM", "terminated"],
    ["KILL", "killed"],
    ["INT", "interrupt"],
    ["HUP", "hangup"],
  ])("tells the signal %s", async (signal, word) => {
    expect(await reasonOf({ create: `kill -${signal} $$` })).toMatch(`signal: ${word}: running "kill`);
  });

  test("tells of a folder that is not there", async () => {
    const dir = join(folder, "absent");
    expect(await reasonOf({ create: "true", dir })).toBe(
      `chdir ${dir}: no such file or directory: running "true":\n`,
    );
  });

  test("tells of an interpreter that is not there", async () => {
    expect(await reasonOf({ create: "true", interpreter: ["no-such-shell"] })).toBe(
      'exec: "no-such-shell": executable file not found in $PATH: running "true":\n',
    );
  });

  test("of an update is reported in the same way", async () => {
    const update = plugin.update(made({ create: "true" }), { create: "true" }, { create: "echo no; exit 2" });
    await expect(update).rejects.toThrow(/^exit status 2: running ".*":\nno\n$/);
  });
});

describe("cancellation", () => {
  function isAlive(id: number) {
    try {
      return process.kill(id, 0);
    } catch {
      return false;
    }
  }

  let cancelled: Plugin;
  let descendant: number;
  beforeAll(async () => {
    cancelled = await Plugin.start("command", "command:local:Command");
  });
  afterAll(async () => {
    if (isAlive(descendant)) process.kill(descendant, "SIGKILL");
    await cancelled.stop();
  });

  test("kills the command, not what the command started", async () => {
    const started = once(cancelled.shown, "line") as Promise<[Line]>;
    const create = cancelled.create({ create: 'sleep 600 > /dev/null 2>&1 & echo "$! $$"; wait' });
    const refused = expect(create).rejects.toThrow(/^signal: killed: running /);
    const [{ message }] = await started;
    const [sleep, shell] = message.split(" ").map(Number) as [number, number];
    descendant = sleep;
    await cancelled.cancel();
    await refused;
    expect({ shell: isAlive(shell), sleep: isAlive(sleep) }).toEqual({ shell: false, sleep: true });
  });

  test("lets nothing run after it", async () => {
    await cancelled.cancel();
    const create = cancelled.create({ create: "touch ran", dir: folder });
    await expect(create).rejects.toThrow(/^context canceled: running "touch ran"/);
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });
});
