"""One room per chapter: its text, its rules, its wrong answers, and what no room of kafkalite is home to."""
