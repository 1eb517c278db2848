import { bootsToRun, casesToRun } from "../in-full";

const CASES = { one: 1, two: 2, three: 3 };
const global = globalThis as { IN_FULL?: boolean };

afterEach(() => {
  global.IN_FULL = false;
  delete process.env.NPM_TEST_WENT_BEFORE;
});

const namesIn = (isFull: boolean, toRun: typeof casesToRun) => {
  global.IN_FULL = isFull;
  return toRun(CASES, ["two"]).map(([what]) => what);
};

test.each([casesToRun, bootsToRun])(
  "npm test has the named cases, npm run test:boots alone has all",
  (toRun) => {
    expect(namesIn(false, toRun)).toEqual(["two"]);
    expect(namesIn(true, toRun)).toEqual(["one", "two", "three"]);
  },
);

test("after npm test, npm run test:boots boots the rest, so that both have all", () => {
  process.env.NPM_TEST_WENT_BEFORE = "yes";
  expect(namesIn(false, bootsToRun)).toEqual(["two"]);
  expect(namesIn(true, bootsToRun)).toEqual(["one", "three"]);
  expect(namesIn(true, casesToRun)).toEqual(["one", "two", "three"]);
});

test("a name that no case has is an error", () => {
  expect(() => casesToRun(CASES, ["four"])).toThrow("no case is named so: four");
});
