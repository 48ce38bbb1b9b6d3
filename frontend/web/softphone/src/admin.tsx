// Entry of the admin page.

import { createRoot } from "react-dom/client";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { PageErrorScreen } from "./components/ErrorScreen";
import { AdminPage } from "./pages/admin";
import "./styles/tokens.css";
import "./styles/dashboard.css";
import "./styles/admin.css";

createRoot(document.getElementById("root")!).render(
  <ErrorBoundary fallback={() => <PageErrorScreen />}>
    <AdminPage />
  </ErrorBoundary>,
);
