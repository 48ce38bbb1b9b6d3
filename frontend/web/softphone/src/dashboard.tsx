// Entry of the dashboard.

import { createRoot } from "react-dom/client";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { PageErrorScreen } from "./components/ErrorScreen";
import "./components/styleNonce";
import { DashboardPage } from "./pages/dashboard";
import "./styles/tokens.css";
import "./styles/dashboard.css";

createRoot(document.getElementById("root")!).render(
  <ErrorBoundary fallback={() => <PageErrorScreen />}>
    <DashboardPage />
  </ErrorBoundary>,
);
