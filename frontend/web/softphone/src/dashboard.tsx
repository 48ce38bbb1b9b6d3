// Entry of the dashboard.

import { createRoot } from "react-dom/client";
import { DashboardPage } from "./pages/dashboard";
import "./styles/tokens.css";
import "./styles/dashboard.css";

createRoot(document.getElementById("root")!).render(<DashboardPage />);
