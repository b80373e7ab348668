"""How agents of a team speak: the channel, what makes it learn, and the measures that prove it is used."""
