import { firstBroken } from "../../../rehearsal/broken-proof";
import type { Proof } from "../../../rehearsal/record";

const proof = (id: string, held: boolean, look?: string): Proof => ({
  ...{ id, title: `title of ${id}`, held },
  ...{ evidence: `evidence of ${id}`, look },
});

test("where every proof holds, nothing is broken", () => {
  expect(firstBroken([proof("pinned", true), proof("way-in", true)])).toBeUndefined();
});

test("of several proofs that do not hold, the first is reported, with its evidence and its place to look", () => {
  const proofs = [proof("other-mac", true), proof("pinned", false), proof("way-in", false)];
  expect(firstBroken(proofs)).toEqual({
    ...{ kind: "proof", at: "pinned", title: "title of pinned", side: "appliance" },
    ...{ seen: "evidence of pinned", look: expect.stringContaining("location /configs/") as string },
  });
});

test("what a proof itself says of where to look comes before what its name says", () => {
  expect(firstBroken([proof("pinned", false, "Look there")])?.look).toBe("Look there");
});
