"""How the course is made and used: chapters, checks, the build, and the commands."""
