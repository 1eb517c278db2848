import { userInfo } from "node:os";
import { namespacesLine } from "../../tools/setup/namespaces.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

const user = userInfo().username;
let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
  for (const file of ["subuid", "subgid"]) machine.write(`etc/${file}`, `${user}:100000:65536\n`);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await machine.remove();
});

/** What a user without root reads where mmdebstrap can make a namespace, or says why it cannot. */
function line(words?: string) {
  machine.program("mmdebstrap", words ? `echo '${words}' >&2; exit 1` : '[ "$1" = --unshare-helper ]');
  jest.spyOn(process, "getuid").mockReturnValue(1000);
  return namespacesLine(machine.bare(NOWHERE), machine.folder);
}

test("where namespaces can be made, and for root, nothing is said", async () => {
  machine.write("proc/sys/kernel/unprivileged_userns_clone", "0\n");
  expect(await line()).toBeUndefined();
  machine.program("mmdebstrap", "exit 1");
  jest.spyOn(process, "getuid").mockReturnValue(0);
  expect(await namespacesLine(machine.bare(NOWHERE), machine.folder)).toBeUndefined();
});

test.each([
  ["kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1."],
  ["user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=10000."],
  [
    "kernel/apparmor_restrict_unprivileged_userns",
    "1",
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0.",
  ],
])(
  "where %s is %s, its setting is named, with the step and mmdebstrap's words",
  async (file, value, help) => {
    machine.write(`proc/sys/${file}`, `${value}\n`);
    const said = await line("E: unshare syscall failed");
    expect(said).toMatch(
      /^The demo's base is made by mmdebstrap in a user namespace, .*E: unshare syscall failed/,
    );
    expect(said).toContain(`To allow it: ${help}`);
  },
);

test("a user without a range of subordinate ids gets one", async () => {
  machine.write("etc/subuid", "somebody:100000:65536\n");
  expect(await line("E: x")).toContain(`To allow it: sudo usermod --add-subuids 100000-165535 ${user}.`);
});

test("where nothing on this machine forbids it, the container is named as the cause", async () => {
  expect(await line("E: x")).toContain("in a container, its runtime has to allow them");
});

test("the first of mmdebstrap's words is the cause", async () => {
  expect(await line("newuidmap: write to uid_map failed\nE: child had an exit status")).toContain(
    "cannot make here (newuidmap: write to uid_map failed). To allow it",
  );
});
