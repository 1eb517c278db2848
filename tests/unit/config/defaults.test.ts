import { checkConfig } from "../../../stack/config";
import { declaredDefaults } from "../../../stack/config/defaults";
import { enough } from "./given";

test("the two required keys are enough", () => {
  expect(checkConfig(enough, "lab", [], {})).toMatchSnapshot();
});

test("every key is declared with a description and a default", () => {
  const config = checkConfig(enough, "lab", [], {});
  expect(Object.keys(declaredDefaults()).sort()).toEqual(Object.keys(config).sort());
});
