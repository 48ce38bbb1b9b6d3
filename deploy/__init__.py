"""How the system is brought up: the demo on one machine, and checks of what is shipped for others."""
