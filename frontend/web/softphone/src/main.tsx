// Entry of the softphone page.

import { createRoot } from "react-dom/client";
import { SoftphonePage } from "./pages/softphone";
import "./styles/tokens.css";
import "./styles/softphone.css";

createRoot(document.getElementById("root")!).render(<SoftphonePage />);
