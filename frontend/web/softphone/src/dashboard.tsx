// Entry of the dashboard.

import { createRoot } from "react-dom/client";
import { Boundary } from "./components/Boundary";
import { PageBroken } from "./components/Broken";
import { DashboardPage } from "./pages/dashboard";
import "./styles/tokens.css";
import "./styles/dashboard.css";

createRoot(document.getElementById("root")!).render(<Boundary instead={() => <PageBroken />}><DashboardPage /></Boundary>);
