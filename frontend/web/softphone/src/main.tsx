// Entry of the softphone page.

import { createRoot } from "react-dom/client";
import { Boundary } from "./components/Boundary";
import { PageBroken } from "./components/Broken";
import { SoftphonePage } from "./pages/softphone";
import "./styles/tokens.css";
import "./styles/softphone.css";

createRoot(document.getElementById("root")!).render(<Boundary instead={() => <PageBroken />}><SoftphonePage /></Boundary>);
