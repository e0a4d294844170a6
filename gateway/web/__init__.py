"""The HTTP faces of the road: police, FHIR, audit and health. Each route parses, asks the journey, and answers."""
