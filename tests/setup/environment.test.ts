import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { toolEnvironment } from "../../tools/setup/environment.cjs";
import { missingLine } from "../../tools/preflight.cjs";
import { SYSTEM_PACKAGES } from "../../tools/setup/apt.cjs";
import { announceStandIns, standIns } from "../../tools/setup/stand-ins.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

// The folders that are always looked in belong to the real machine.
jest.mock("../../tools/setup/process.cjs", () => ({
  ...jest.requireActual<object>("../../tools/setup/process.cjs"),
  searchPath: ({ PATH = "" }: NodeJS.ProcessEnv) => PATH.split(":"),
}));

/** What another process does between a look for a file and what follows it. */
let mockBetween: ((path: string) => void) | undefined;
jest.mock("node:fs", () => {
  const real = jest.requireActual<typeof import("node:fs")>("node:fs");
  const looked = (path: string) => {
    const there = real.existsSync(path);
    mockBetween?.(path);
    return there;
  };
  return { ...real, existsSync: looked };
});

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(async () => {
  mockBetween = undefined;
  await machine.remove();
});

/** The plugins that the checkout wants. */
function wantPlugins(): void {
  const versions = { command: { version: "1.2.1" }, random: { version: "4.21.2" } };
  machine.write("top/tools/plugins/versions.json", JSON.stringify(versions));
}

describe("the passphrase", () => {
  const PLACE = "top/.pulumi-passphrase";

  test("is the same for two processes that make it at once, and nothing else is left", () => {
    mockBetween = (path) => {
      if (path === machine.path(PLACE)) machine.write(PLACE, "the other's");
    };
    const env = toolEnvironment(machine.context(NOWHERE), { standIns: false });
    mockBetween = undefined;
    expect(readFileSync(String(env.PULUMI_CONFIG_PASSPHRASE_FILE), "utf8")).toBe("the other's");
    expect(readdirSync(machine.path("top")).sort()).toEqual([".pulumi-passphrase", ".pulumi-state"]);
    expect(machine.said).toEqual([]);
  });

  test("is mentioned once, where it is made", () => {
    toolEnvironment(machine.context(NOWHERE), { standIns: false });
    toolEnvironment(machine.context(NOWHERE), { standIns: false });
    expect(machine.said).toEqual([expect.stringContaining(machine.path(PLACE))]);
  });

  test("is private, whatever the umask is", () => {
    const before = process.umask(0);
    try {
      toolEnvironment(machine.context(NOWHERE), { standIns: false });
    } finally {
      process.umask(before);
    }
    expect(statSync(machine.path(PLACE)).mode & 0o777).toBe(0o600);
  });

  test.each([
    { PULUMI_CONFIG_PASSPHRASE: "" },
    { PULUMI_CONFIG_PASSPHRASE: "mine" },
    { PULUMI_CONFIG_PASSPHRASE_FILE: "/mine" },
  ])("is the user's own with %j", (given) => {
    const context = machine.context(NOWHERE);
    Object.assign(context.env, given);
    expect(toolEnvironment(context, { standIns: false })).toMatchObject(given);
    expect(existsSync(machine.path(PLACE))).toBe(false);
  });
});

describe("the backend", () => {
  const backendWith = (given: object, credentials?: [string, string]) => {
    if (credentials) machine.write(...credentials);
    const context = machine.context(NOWHERE);
    Object.assign(context.env, given);
    return toolEnvironment(context, { standIns: false }).PULUMI_BACKEND_URL;
  };
  const inCheckout = () => `file://${machine.path("top/.pulumi-state")}`;

  test("is the one that the environment names", () => {
    expect(backendWith({ PULUMI_BACKEND_URL: "s3://bucket" })).toBe("s3://bucket");
    expect(existsSync(machine.path("top/.pulumi-state"))).toBe(false);
  });

  test("is a URL also where the checkout's path has what means something else in one", () => {
    mkdirSync(machine.path("#1 50%20?"));
    const context = { ...machine.context(NOWHERE), top: machine.path("#1 50%20?") };
    expect(toolEnvironment(context, { standIns: false }).PULUMI_BACKEND_URL).toBe(
      `file://${machine.path("%231 50%2520%3F", ".pulumi-state")}`,
    );
    expect(existsSync(machine.path("#1 50%20?", ".pulumi-state"))).toBe(true);
  });

  test("is left to Pulumi with a token, or where its own home says it is logged in", () => {
    const loggedIn = JSON.stringify({ current: "https://pulumi.example" });
    expect(backendWith({ PULUMI_ACCESS_TOKEN: "token" })).toBeUndefined();
    expect(backendWith({ PULUMI_HOME: machine.path("p") }, ["p/credentials.json", loggedIn])).toBeUndefined();
  });

  test.each([
    ["after a logout", '{"current":""}'],
    ["with credentials that are no JSON", "{"],
  ])("is in the checkout %s", (_when, credentials) => {
    expect(backendWith({}, ["home/.pulumi/credentials.json", credentials])).toBe(inCheckout());
  });
});

describe("PATH", () => {
  beforeEach(wantPlugins);
  const pathWith = (options: { standIns: boolean }) => {
    const context = machine.context(NOWHERE);
    context.env.PATH += `:${context.env.PATH}`;
    return toolEnvironment(context, options);
  };

  test("begins with what set-up brought, and names no folder twice", () => {
    const folders = String(pathWith({ standIns: false }).PATH).split(":");
    expect(folders[0]).toBe(machine.path("cache/bin"));
    expect(new Set(folders).size).toBe(folders.length);
  });

  test("ends with the stand-ins, and no plugin is fetched, where they serve", () => {
    const env = pathWith({ standIns: true });
    expect(String(env.PATH).split(":").pop()).toBe(machine.path("top/tools/plugins/bin"));
    expect(env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
    expect(pathWith({ standIns: false })).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
  });

  test("Pulumi finds stand-ins as installed, real ones first; logins and the selected stack stay in the person's home", () => {
    const real = machine.program("pulumi-resource-random", "");
    const env = pathWith({ standIns: true });
    const persons = machine.path("home/.pulumi");
    const plugin = (name: string) => readlinkSync(join(String(env.PULUMI_HOME), "plugins", name));
    expect(plugin("resource-command-v1.2.1/pulumi-resource-command")).toBe(
      machine.path("top/tools/plugins/bin/pulumi-resource-command"),
    );
    expect(plugin("resource-random-v4.21.2/pulumi-resource-random")).toBe(real);
    expect(env).toMatchObject({ PULUMI_CREDENTIALS_PATH: persons, PULUMI_IGNORE_AMBIENT_PLUGINS: "true" });
    expect(readlinkSync(join(String(env.PULUMI_HOME), "workspaces"))).toBe(join(persons, "workspaces"));
    const again = { ...machine.context(NOWHERE), env };
    expect(toolEnvironment(again, { standIns: true }).PULUMI_HOME).toBe(env.PULUMI_HOME);
    expect(pathWith({ standIns: false }).PULUMI_HOME).toBeUndefined();
  });
});

describe("a proxy", () => {
  const environmentWith = (given: object) => {
    const context = machine.context(NOWHERE);
    delete context.env.no_proxy;
    Object.assign(context.env, given);
    return toolEnvironment(context, { standIns: false });
  };

  test("is never used for connections to this machine itself, above all Pulumi's gRPC", () => {
    expect(environmentWith({ HTTPS_PROXY: "http://proxy:3128" })).toMatchObject({
      HTTPS_PROXY: "http://proxy:3128",
      no_grpc_proxy: "127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
      NO_PROXY: "127.0.0.1,localhost",
    });
  });

  test("is not used for what the user excepts, in upper or lower case", () => {
    const list = ".example.org,10.0.0.0/8,localhost,127.0.0.1";
    for (const name of ["no_proxy", "NO_PROXY"])
      expect(environmentWith({ [name]: " .example.org, 10.0.0.0/8,localhost" })).toMatchObject({
        no_proxy: list,
        NO_PROXY: list,
      });
    expect(environmentWith({ no_grpc_proxy: "engine" }).no_grpc_proxy).toBe("engine,127.0.0.1,localhost");
    const all = environmentWith({ no_proxy: "*" });
    expect([all.no_proxy, all.NO_PROXY]).toEqual(["*", undefined]);
  });
});

describe("plugins", () => {
  beforeEach(wantPlugins);
  const BOTH = ["command", "random"];

  test("a server that did not answer is not asked again for an hour", async () => {
    expect(await standIns(machine.context(NOWHERE))).toEqual(BOTH);
    const origin = await machine.start();
    expect(await standIns(machine.context(origin))).toEqual(BOTH);
    expect(machine.requests).toEqual([]);
    const long = new Date(Date.now() - 2 * 60 * 60 * 1000);
    utimesSync(machine.path("cache/pulumi-unreachable"), long, long);
    expect(await standIns(machine.context(origin))).toEqual([]);
    expect(machine.requests).toEqual(["HEAD /"]);
  });

  test.each([
    ["only one of them is real", () => machine.program("pulumi-resource-command", "")],
    ["another version is kept", () => machine.write("home/.pulumi/plugins/resource-command-v1.2.0/x", "")],
  ])("stand-ins take the place of all plugins where %s", async (_what, put) => {
    put();
    expect(await standIns(machine.context(NOWHERE))).toEqual(BOTH);
  });

  test("a stand-in on PATH is not taken for the real one", async () => {
    for (const name of BOTH) machine.program(`../top/tools/plugins/bin/pulumi-resource-${name}`, "");
    const context = machine.context(NOWHERE);
    context.env.PATH += `:${machine.path("top/tools/plugins/bin")}`;
    expect(await standIns(context)).toEqual(BOTH);
  });

  test("one on PATH and one kept in PULUMI_HOME are enough; no server is asked", async () => {
    machine.program("pulumi-resource-command", "");
    mkdirSync(machine.path("p/plugins/resource-random-v4.21.2"), { recursive: true });
    const context = machine.context(await machine.start());
    context.env.PULUMI_HOME = machine.path("p");
    expect(await announceStandIns(context)).toBe(false);
    expect([machine.requests, machine.said]).toEqual([[], []]);
  });
});

describe("the line about what is missing", () => {
  const env = () => ({ PATH: machine.path("programs"), BOOTSTRAP_PXE_CACHE: machine.path("cache") });
  beforeEach(() => {
    for (const name of ["pulumi", "pulumi-language-nodejs", "packer", "sops", "talos-config-1.13"]) {
      machine.program(`../cache/bin/${name}`, "");
    }
    for (const name of ["dnsmasq", "nginx", "chronyd"]) machine.program(name, "");
    for (const { has } of SYSTEM_PACKAGES.filter(({ demo }) => !demo)) {
      if (!has[0]?.startsWith("/")) machine.program(String(has[0]), "");
    }
  });

  test("is absent where everything is there, on the machine or in the cache", () => {
    expect(missingLine("v1.13.0", env())).toBeUndefined();
  });

  test("names only what is not there, or is not a program", () => {
    rmSync(machine.path("cache/bin/sops"));
    rmSync(machine.path("programs/nginx"));
    machine.write("programs/nginx", "no program");
    rmSync(machine.path("programs/xorriso"));
    expect(missingLine("v1.13.0", env())).toBe("missing: sops, nginx, xorriso; run `npm run setup`");
  });

  test("names the loader of the stack's own release, and the command that brings it", () => {
    expect(missingLine("v1.12.3", env())).toBe(
      "missing: talos-config-1.12; run `npm run setup -- --for use --talos-version v1.12.3`",
    );
  });

  test("names what only an offline stack runs for such a stack alone", () => {
    rmSync(machine.path("programs/skopeo"));
    expect(missingLine("v1.13.0", env())).toBeUndefined();
    expect(missingLine("v1.13.0", env(), true)).toBe("missing: docker-registry, skopeo; run `npm run setup`");
  });

  test("leaves a malformed version to the check of the config", () => {
    expect(missingLine("latest", env())).toBeUndefined();
  });
});
