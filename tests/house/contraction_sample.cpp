// A product and a sum that a compiler fuses unless it is told not to; see
// arithmetic_gates_test.cpp.

namespace ossau::test {

double scalar_product_and_sum(double a, double b, double c) { return a * b + c; }

void vector_product_and_sum(const float* a, const float* b, float* c, int n) {
  for (int i = 0; i < n; ++i) c[i] = a[i] * b[i] + c[i];
}

}  // namespace ossau::test
