import type { RehearsalSummary } from "../components/Rehearsal";
import { atMost, printedBy, type Bench } from "./setting";
import type { Figure } from "./table";

/** Longest that a rehearsal should take, in seconds, by how its guests run. */
const LIMIT_S = { kvm: 20, hvf: 20, tcg: 100 };

/** Boots the image of `lab` with its mini-PC and the twin beside it. */
export async function rehearsal(bench: Bench): Promise<Figure[]> {
  const { checkout, lab, accelerator } = bench;
  checkout.set("lab", { rehearse: "true" });
  await lab.up();
  const { seconds } = await printedBy<RehearsalSummary>(bench, "rehearsal-boot");
  checkout.set("lab", { rehearse: "false" });
  await lab.up();
  return [
    {
      what: "(h) a rehearsal",
      unit: "s",
      here: { what: "from power-on to the last proof, the twin beside it", values: [seconds] },
      target: atMost(LIMIT_S[accelerator]),
    },
  ];
}
