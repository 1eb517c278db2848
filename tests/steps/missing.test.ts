import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inToolEnvironment, TOP } from "../tools";

const missingFile = join(TOP, "packer/appliance/missing");

/** What the programs of the appliance say when nothing is missing. */
const WELL = {
  LINK: "up",
  ADDRESS: "inet 10.10.10.2/24 scope global isolated",
  CONFIGURED: "yes",
  NGINX: "ActiveState=active\nResult=success\nNRestarts=0",
  WGET: "",
};
type Seen = Partial<typeof WELL>;

let state: string;
let programs: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "missing-"));
  programs = join(state, "bin");
  mkdirSync(programs);
  const program = (name: string, script: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program("ip", 'echo " $ADDRESS"');
  program("systemctl", 'printf "Id=nginx.service\n$NGINX\nActiveEnterTimestampMonotonic=1\n"');
  program("busybox", '[ "$1" = awk ] && exec "$@"; [ -z "$WGET" ] || { echo "wget: $WGET" >&2; exit 1; }');
});
afterEach(() => rmSync(state, { recursive: true }));

/** Has the appliance look, several times one after the other. */
async function look(...sights: Seen[]): Promise<string> {
  let said = "";
  for (const seen of sights) {
    const env = {
      ...WELL,
      ...seen,
      APPLIANCE_CIDR: "10.10.10.2/24",
      TALOS_VERSION: "v1.11.6",
      ISOLATED_MAC: "02:11:32:aa:bb:cc",
    };
    const stubs = 'link_of() { echo "$LINK"; }; is_configured() { [ "$CONFIGURED" = yes ]; }';
    const script = `PATH="${programs}:$PATH"; state=${state}; . "$0"; ${stubs}; missing`;
    said = (await inToolEnvironment("sh", ["-uc", script, missingFile], { env })).all ?? "";
  }
  return said;
}

const down = (restarts: number): Seen => ({
  NGINX: `ActiveState=activating\nResult=exit-code\nNRestarts=${restarts}`,
});

test("a service that is down may come up by itself", async () => {
  expect(await look(down(7))).toBe("nginx is not running (exit-code)");
  expect(await look(down(7), down(9))).toBe("nginx is not running (exit-code)");
});

test("a service that fails again and again is said at once", async () => {
  expect(await look(down(1), down(4))).toBe("!nginx is not running (exit-code)");
});

test("the address is waited for while networkd is at work, and no longer", async () => {
  const elsewhere = { ADDRESS: "inet 10.10.10.3/24 scope global isolated" };
  expect(await look({ ...elsewhere, CONFIGURED: "" })).toBe("10.10.10.2 is not on the isolated NIC");
  expect(await look(elsewhere)).toBe("!10.10.10.2 is not on the isolated NIC");
});

test.each([
  ["server returned error: HTTP/1.1 404 Not Found", "!"],
  ["server returned error: HTTP/1.1 403 Forbidden", "!"],
  ["server returned error: HTTP/1.1 502 Bad Gateway", ""],
  ["can't connect to remote host (10.10.10.2): Connection refused", ""],
])("a file for which wget says '%s' is not served, with the mark '%s'", async (refusal, mark) => {
  expect(await look({ WGET: refusal })).toBe(`${mark}http://10.10.10.2/boot.ipxe is not served`);
});

test("an isolated link that is down may come up at any moment", async () => {
  expect(await look({ LINK: "down", ADDRESS: "" })).toMatch(/^the isolated NIC's link is down \(02:11/);
});
