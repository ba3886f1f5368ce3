#include <exception>
#include <fstream>
#include <iostream>

#include "ossau/ossau.hpp"

int main() {
  try {
    std::ofstream("consumer.csv") << "y,x\n0,1\n0,2\n1,3\n1,4\n0,2\n1,5\n";
    ossau::Config config;
    config.data.train = {"consumer.csv"};
    config.model.l2 = 0.1;
    config.run.directory = "run";
    config.run.overwrite = true;
    const ossau::Summary summary = ossau::train(config);
    std::cout << "ossau " << ossau::version() << " trained on " << summary.rows << " rows\n";
    return summary.rows == 6 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
