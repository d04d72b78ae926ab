import { render } from "preact";

import { App } from "./app";
import { guardStream } from "./stream";
import { startRouter } from "./route";
import { startTheme } from "./theme";

startTheme();
startRouter();
guardStream();

const root = document.getElementById("app");
if (root) render(<App />, root);
