"""Parameters, passes over tokens, and the floating-point operations that they take. No torch."""
