import { HOME, UPLINK_LEASE } from "../../rehearsal/network/gateway";
import { Images } from "../e2e/images";
import { DESK, NEIGHBOUR, scan } from "./scan";
import { statusIsShown } from "./status";
import { expectTurns, linesLike } from "./turns";

const images = new Images();
afterAll(() => images.remove());

test("the screen and the feed show to a stranger too that the appliance waits for the mini-PC; with operators two ports of the lease and the status page are reached from the uplink, by them alone, of all 65,535; the console has their route", async () => {
  const assembly = await images.make(() => undefined);
  await expectTurns(assembly, {
    lease: HOME,
    turns: [{ says: /^serving .*no resolver answers/ }],
    async finally(stage) {
      // Before the scan asks in the mini-PC's name.
      await statusIsShown(stage);
      const lease = stage.site.minipcIp;
      expect(await scan(stage, NEIGHBOUR)).toEqual({ answers: [], forwarded: [] });
      expect(await scan(stage, DESK)).toEqual({
        answers: [`${UPLINK_LEASE} 80`],
        forwarded: [`${lease} TCP 50000`, `${lease} TCP 6443`],
      });
      expect(linesLike(stage, /way in|Linux:|macOS:|Windows:|status:/)).toEqual([
        `bootstrap-pxe: way in: hosts of 192.168.1.0/24 reach ports 50000 and 6443 of ${lease} by a route via ${UPLINK_LEASE}`,
        `bootstrap-pxe:   Linux:   sudo ip route add ${lease}/32 via ${UPLINK_LEASE}`,
        `bootstrap-pxe:   macOS:   sudo route -n add ${lease}/32 ${UPLINK_LEASE}`,
        `bootstrap-pxe:   Windows: route ADD ${lease} MASK 255.255.255.255 ${UPLINK_LEASE}`,
        `bootstrap-pxe:   status:  http://${UPLINK_LEASE}/`,
      ]);
    },
  });
});
