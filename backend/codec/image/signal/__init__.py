"""From what a file signals of its colours to an ICC profile: tables of H.273, tone mapping, and a writer of profiles."""
