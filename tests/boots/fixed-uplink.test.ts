import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/templates";
import { HARDWARE } from "../../rehearsal/hardware";
import { attachRouter } from "../../rehearsal/network/gateway";
import { NICS } from "../../rehearsal/stage";
import { boot } from "../e2e/boot";
import { demo, demoConfig } from "../e2e/demo";
import { PROOFS } from "../e2e/evidence";
import { Images } from "../e2e/images";
import { answersNamesAndTime } from "./outside-world";
import { expectTurns } from "./turns";

const images = new Images();
afterAll(() => images.remove());

const fixedUplink = { cidr: "192.168.1.5/24", gateway: "192.168.1.1" };
/** The demo's, of a stack whose uplink has no DHCP server. */
const image = images.make((each) => {
  const keys = {
    uplinkCidr: fixedUplink.cidr,
    uplinkGateway: fixedUplink.gateway,
    upstreamDns: "192.168.1.1",
  };
  Object.assign(each.files, renderServiceFiles(checkConfig({ ...demoConfig, ...keys }, "demo")));
});

test("without DHCP on the uplink, the gateway tells it with the NICs in either order, and the mini-PC gets out under the fixed address", async () => {
  const { record } = await boot(await image, { hardware: HARDWARE }, { fixedUplink });
  expect(record.diagnosis).toBeUndefined();
  expect(record.proofs.filter(({ held }) => held).map(({ id }) => id)).toEqual([...PROOFS, "sides"]);
  expect(HARDWARE.twin?.swapped).toBe(true);
  expect(record.proofs.find(({ id }) => id === "way-out")?.evidence).toContain(
    "the lease's left from 192.168.1.5",
  );
});

const serving = (nic: string, lacks: string) =>
  new RegExp(
    `^serving ${demo.minipcMac} -> 10\\.10\\.10\\.100 on isolated \\(${nic}\\), .*version demo${lacks}`,
  );

test("a gateway that comes up on the NIC taken for the isolated one, and a host that has the fixed address for a while", async () => {
  let taken: string | undefined = "192.168.1.5";
  await expectTurns(await image, {
    fixedUplink,
    hardware: { swapped: true },
    atStart(stage) {
      stage.uplinkRouter = undefined;
      attachRouter(stage.site.uplink!, () => taken);
    },
    turns: [
      { says: serving(NICS.uplink, "") },
      {
        happens(stage) {
          stage.uplinkRouter = fixedUplink.gateway;
        },
        says: new RegExp(
          `^NOT serving: the uplink's gateway 192\\.168\\.1\\.1 answers on the NIC taken for the isolated one \\(${NICS.uplink}\\)`,
        ),
      },
      { says: serving(NICS.isolated, "; no uplink address, since another host there has 192\\.168\\.1\\.5") },
      {
        happens(stage) {
          taken = undefined;
          answersNamesAndTime(stage);
        },
        says: serving(NICS.isolated, "$"),
      },
    ],
  });
});
