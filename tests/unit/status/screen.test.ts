import { bootFacts, GOOD, IP, MAC, NOW, screenOf } from "./status";

/** 80 columns by 25 lines; the last column stays empty, since a character there may wrap. */
function expectFits(screen: string[]): void {
  expect(screen).toHaveLength(25);
  for (const line of screen) expect(line).toMatch(/^[ -~]{0,79}$/);
}

test("the screen of a boot under way", async () => {
  const events = [
    `${NOW - 51} said http: GET /boot.ipxe 200 to ${IP}, 1028 bytes`,
    `${NOW - 48} said http: GET /talos/v1.11.6/vmlinuz 200 to ${IP}, 8247232 bytes`,
  ];
  const screen = await screenOf([...bootFacts("kernel"), ...events]);
  expectFits(screen);
  expect(`\n${screen.join("\n")}\n`).toMatchSnapshot();
});

test("the screen says of a step whether it was not needed or not seen", async () => {
  const stepsOf = (screen: string[]) => screen.filter((line) => /^ {2}\[.\] /.test(line));
  const rom = await screenOf([`${NOW} fact offer boot.ipxe ${MAC}`]);
  expect(stepsOf(rom).slice(0, 2)).toEqual([
    "  [-]                    the firmware asks for an address (not needed)",
    "  [-]                    the firmware loads iPXE (not needed)",
  ]);
  const node = await screenOf(bootFacts("config"), { "answers-50000": String(NOW) });
  expect(stepsOf(node).slice(1, 4)).toEqual([
    "  [x] 19:00:51    +21 s  Talos fetches its machine config",
    "  [-]                    Talos starts from its disk (not seen)",
    "  [x] 19:01:30    +60 s  Talos answers on port 50000",
  ]);
});

test("the screen of an appliance that has just started", async () => {
  const none = Object.fromEntries(Object.keys(GOOD).map((name) => [name, ""]));
  const screen = await screenOf([], none);
  expectFits(screen);
  expect(screen.join("\n")).toContain("The appliance is starting.");
  expect(screen.join("\n")).toMatch(/^time +not known yet$/m);
});

test("the longest values and the longest sentence fit, and say that they are cut", async () => {
  const events = Array.from(
    { length: 30 },
    (_, index) => `${NOW + 20 * index} said ${index} ${"x".repeat(200)}`,
  );
  const wide = {
    ...{ isolated_cidr: "192.168.200.200/24", uplink_cidr: "192.168.100.100/24" },
    ...{ router: "192.168.100.100", resolvers: "2620:fe::fe 2620:fe::9 9.9.9.9 149.112.112.112 1.1.1.1" },
    verdict: `NOT serving: ${"because of something that is long ".repeat(20)}`,
  };
  const screen = await screenOf([...bootFacts("config"), ...events], wide);
  expectFits(screen);
  const text = screen.join("\n");
  expect(text).toContain("192.168.200.200/24: no DHCP server answers\n");
  expect(text).toContain("192.168.100.100/24: a DHCP server answered\n");
  expect(text).toMatch(/xxx\.\.\.\n/);
  expect(screen.at(-2)).toMatch(/ \.\.\.$/);
  expect(screen.at(-1)).toMatch(/Alt-F2: log in$/);
});

test("a control character of a client does not reach the screen", async () => {
  const screen = await screenOf([`${NOW} fact http /\u001b[2J 404 ${IP}`, `${NOW} fact asks ${MAC}`]);
  expectFits(screen);
});
